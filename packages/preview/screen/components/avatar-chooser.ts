import type { Native } from '../../native.ts';
import type { Dialogs } from '../dialogs.ts';
import type { Files } from '../files.ts';
import type { Privacy } from '../privacy.ts';

interface Deps {
  native: Pick<Native, 'pictures'>;
  dialogs: Dialogs;
  privacy: Privacy;
  files: Files;
}

/** WeChat's sheet of `open-type="chooseAvatar"`. Resolves to the temporary path of the picture chosen, or to null. */
export function createAvatarChooser({ native, dialogs, privacy, files }: Deps) {
  return async function choose(): Promise<string | null> {
    const agreed = await privacy.ensure().then(
      () => true,
      () => false,
    );
    if (!agreed) return null;
    const pictures = await native.pictures();
    const choice = await dialogs.choose<string | typeof pickPicture>([
      ...pictures.map(({ name, url }) => ({ text: name, picture: url, value: url })),
      { text: '从电脑里选择', value: pickPicture },
    ]);
    const url = typeof choice === 'function' ? await choice() : choice;
    return url === null ? null : files.keep(url);
  };
}

/** A file of the computer on which the preview runs, as a `data:` URL. */
function pickPicture(): Promise<string | null> {
  return new Promise((resolve) => {
    const picker = document.createElement('input');
    picker.type = 'file';
    picker.accept = 'image/*';
    picker.addEventListener('cancel', () => resolve(null));
    picker.addEventListener('change', () => {
      const file = picker.files?.[0];
      const reader = new FileReader();
      reader.addEventListener('load', () => resolve(reader.result as string));
      reader.addEventListener('error', () => resolve(null));
      if (file) reader.readAsDataURL(file);
    });
    picker.click();
  });
}
