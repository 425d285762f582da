import type { GeneralComponent } from 'glass-easel';

/** The element that a component is drawn in; null once its page is left, which may still be told of new data. */
export function hostOf(component: unknown): HTMLElement | null {
  return (component as GeneralComponent).getBackendElement() as unknown as HTMLElement | null;
}
