import { createRequire } from 'node:module';

// The plug-in is CommonJS.
const { default: uni } = createRequire(import.meta.url)('@dcloudio/vite-plugin-uni');

export default { plugins: [uni()] };
