import type { ComponentSpace } from 'glass-easel';
import type { Native } from '../../native.ts';
import type { Files } from '../files.ts';
import { hostOf } from './host.ts';

interface Deps {
  space: ComponentSpace;
  native: Pick<Native, 'addressOf'>;
  files: Files;
}

/** `<image>`: a picture on the network, or one behind a temporary path. */
export function defineImage({ space, native, files }: Deps) {
  return space.defineComponent({
    is: 'wx-image',
    options: { reflectToAttributes: true },
    properties: { src: String, mode: String },
    lifetimes: {
      created() {
        const img = document.createElement('img');
        img.addEventListener('error', () => img.removeAttribute('src'));
        hostOf(this)?.append(img);
      },
    },
    observers: {
      src(src: string) {
        const img = hostOf(this)?.querySelector('img');
        if (img && src) img.src = native.addressOf(files.urlOf(src));
      },
    },
  });
}
