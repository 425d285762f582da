/** What `npm run dev` says. */
export const english = {
  portIsTaken: (port: number) => `Port ${port} is taken: using another one.`,
  sealed: '(sealed with AES-256-GCM)',
  story: {
    title: 'A first login, from the phone to the table',
    code: 'a one-time code',
    exchanged: 'The backend exchanged the code with the stand-in for WeChat.',
    unknown: 'A user whom the backend does not know yet.',
    profile: 'wx.getUserProfile → signed and sealed data; wx.login again, and WeChat rotates the session key',
    proved: 'the profile was proved with the key from step 1.',
    user: (name: string, place: string) => `The user: ${name}, ${place}.`,
    token: (days: number) => `A token of ours, good for ${days} days.`,
    row: (table: string) => `The row of ${table}, as stored:`,
  },
  curl: {
    title: 'Try it',
    code: 'One call: a phone takes a code, the backend exchanges it.',
    login: 'The whole login: a profile, signed and sealed, and a code.',
    batch: 'A batch of two.',
    refused: 'A wrong signature: refused, with the same words as any other data that does not fit.',
  },
  open: {
    title: 'Open it',
    preview: 'The mini program, in your browser   ',
    backend: 'The backend                         ',
    standin: 'The stand-in for WeChat             ',
    ready: 'Ready.',
    people: "The phone's last person is the one who logged in above; the others are new.",
    end: 'Ctrl-C ends it all.',
  },
  restarted: {
    title: 'Started again',
    where: (preview: string, backend: string) =>
      `after a change. The mini program: ${preview}  The backend: ${backend}`,
  },
  page: {
    title: 'guoke, the login backend of a WeChat mini program, in development.',
    procedures: 'Procedures (docs/openapi.json describes them, docs/client.md says how a mini program calls them):',
    health: 'Health:',
    alive: 'the process lives',
    ready: 'the database answers and the tables are there',
    more: 'Procedures of your own: docs/extending.md. Production: docs/deployment.md.',
  },
};

/** What a language has to say. */
export type Texts = typeof english;
