import { createClient, failureOf } from '@guoke/client';
import type { AppRouter, Reason } from './app-router';

const { api } = createClient<AppRouter>({ baseUrl: 'https://login.example.com' });

/** In the mini program: a note is typed from the table to the page. */
export async function addNote(text: string): Promise<string> {
  const { id, createdAt } = await api.notes.add.mutate({ text });
  const all = await api.notes.mine.query();
  return `${id} of ${all.length}, ${new Date(createdAt).toISOString()}`;
}

/** What to show when a note cannot be added. */
export function explain(error: unknown): string {
  const failure = failureOf<Reason>(error);
  if (failure.kind === 'refused' && failure.reason === 'NOTES_FULL') return 'Delete a note first';
  return failure.retry === 'later' ? 'Try again later' : 'That did not work';
}
