/** Pictures that the user chose. A page gets a temporary path, as on a phone, and shows it in an image. */
export interface Files {
  /** The temporary path that stands for this URL. */
  keep(url: string): string;
  /** The URL behind a temporary path; anything else is left as it is. */
  urlOf(path: string): string;
}

export function createFiles(): Files {
  const urls = new Map<string, string>();
  return {
    keep(url) {
      const path = `wxfile://tmp_${urls.size + 1}.png`;
      urls.set(path, url);
      return path;
    },
    urlOf: (path) => urls.get(path) ?? path,
  };
}
