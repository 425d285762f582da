# The packages that run in production, and nothing of the tools: `--omit=dev` alone keeps the compiler, a peer of tRPC's.
FROM node:24-bookworm-slim AS modules
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm pkg delete devDependencies workspaces && npm ci --omit=dev --omit=peer --ignore-scripts

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json compile.ts ./
COPY src ./src
RUN npx tsx compile.ts src dist

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080
# glibc keeps what decoders of pictures have freed in up to eight heaps per core: about 60 MB under attack.
ENV MALLOC_ARENA_MAX=2
# SQLite's database, where that is used: mount a volume here.
RUN mkdir -m 700 .data && chown node:node .data
COPY package.json guoke.js ./
COPY drizzle ./drizzle
COPY --from=modules /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
USER node
EXPOSE 8080
# /healthz, not /readyz: nobody is helped by a container that is replaced because the database is away.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# What `npm start` runs; npm between would keep SIGTERM to itself.
CMD ["node", "--max-semi-space-size=16", "--no-memory-reducer", "guoke.js", "start"]
