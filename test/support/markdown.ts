import { readFile } from 'node:fs/promises';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '../..');

export interface Block {
  line: number;
  language: string;
  /** What the comment above it says: `excerpt`, `from <file>`, `command <name>`; empty where there is none. */
  mark: string;
  text: string;
}

export interface Document {
  headings: { level: number; anchor: string }[];
  blocks: Block[];
  /** For each table, for each of its rows, how many cells it has. */
  tables: number[][];
  images: string[];
  links: string[];
}

/** Reads a document by its path in the project, as far as the tests compare documents. */
export async function readDocument(document: string): Promise<Document> {
  const blocks: Block[] = [];
  const prose: string[] = [];
  let open: (Block & { lines: string[]; fence: string }) | null = null;
  let mark = '';
  for (const [index, line] of (await readFile(path.join(root, document), 'utf8')).split('\n').entries()) {
    const [, fence, language = ''] = /^\s*(`{3,}|~{3,})\s*(\S*)/.exec(line) ?? [];
    if (open) {
      if (fence === open.fence && language === '') {
        const { lines, fence: _, ...block } = open;
        blocks.push({ ...block, text: lines.join('\n') });
        open = null;
      } else open.lines.push(line);
    } else if (fence) {
      open = { line: index + 1, language, mark, text: '', lines: [], fence };
      mark = '';
      prose.push('');
    } else {
      if (line.trim() !== '') mark = /^<!-- (.*) -->$/.exec(line.trim())?.[1] ?? '';
      prose.push(line);
    }
  }
  const text = prose.join('\n');
  const targets = [...text.replaceAll(/`[^`\n]*`/g, 'code').matchAll(/(!?)\[[^\]]*\]\(([^)\s]+)[^)]*\)/g)];
  return {
    headings: headingsOf(prose),
    blocks,
    tables: tablesOf(prose),
    images: targets.filter(([, image]) => image === '!').map(([, , target = '']) => target),
    links: targets.filter(([, image]) => image === '').map(([, , target = '']) => target),
  };
}

/** With the anchors that GitHub gives them. */
function headingsOf(lines: string[]): Document['headings'] {
  const seen = new Map<string, number>();
  return lines.flatMap((line) => {
    const [, marks, title] = /^(#{1,6}) (.+)$/.exec(line) ?? [];
    if (!marks || !title) return [];
    const slug = title
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
      .replaceAll(' ', '-');
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    return [{ level: marks.length, anchor: before === 0 ? slug : `${slug}-${before}` }];
  });
}

function tablesOf(lines: string[]): number[][] {
  const tables: number[][] = [];
  let inTable = false;
  for (const line of lines) {
    const row = line.trim();
    if (row.startsWith('|')) {
      if (!inTable) tables.push([]);
      const bars =
        row
          .replaceAll(/`[^`]*`/g, 'code')
          .replaceAll('\\|', '')
          .match(/\|/g) ?? [];
      tables.at(-1)?.push(bars.length - 1);
    }
    inTable = row.startsWith('|');
  }
  return tables;
}
