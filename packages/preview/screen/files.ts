/** Pictures that the user chose. A page gets a temporary path, as on a phone, and shows it in an image or reads it. */
export interface Files {
  /** The temporary path that stands for this `data:` URL. */
  keep(url: string): string;
  /** The URL behind a temporary path; anything else is left as it is. */
  urlOf(path: string): string;
  /** Throws in the words of a phone when there is no such file. */
  base64Of(path: string): string;
}

/** Files that last until the next launch. */
export function createFiles(): Files {
  const urls = new Map<string, string>();
  return {
    keep(url) {
      const [, kind = 'png'] = /^data:image\/(\w+)/.exec(url) ?? [];
      const path = `wxfile://tmp_${urls.size + 1}.${kind.replace('jpeg', 'jpg')}`;
      urls.set(path, url);
      return path;
    },
    urlOf: (path) => urls.get(path) ?? path,
    base64Of(path) {
      const url = urls.get(path);
      if (url === undefined) throw new Error(`no such file or directory, open '${path}'`);
      return url.slice(url.indexOf(',') + 1);
    },
  };
}
