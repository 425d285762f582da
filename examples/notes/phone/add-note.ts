import { createClient } from '@guoke/client';
import type { AppRouter } from './app-router';

const { api } = createClient<AppRouter>({ baseUrl: 'https://login.example.com' });

/** In the mini program: a note is typed from the table to the page. */
export async function addNote(text: string): Promise<string> {
  const { id, createdAt } = await api.notes.add.mutate({ text });
  const all = await api.notes.mine.query();
  return `${id} of ${all.length}, ${new Date(createdAt).toISOString()}`;
}
