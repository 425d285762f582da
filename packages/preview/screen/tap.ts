import { Event, type CurrentWindowBackendContext } from 'glass-easel';

/** Knows when a tap is being handled. */
export interface TapGate {
  /** True while a tap handler runs, and no longer once it has awaited anything. */
  inside(): boolean;
}

/** Hands the DOM's events to the components: WeChat opens some APIs only inside a tap, and a disabled button gives none. */
export function createTapGate(backend: CurrentWindowBackendContext): TapGate {
  let depth = 0;
  backend.onEvent((target, type, detail, options) => {
    const element: unknown = target.getBackendElement();
    if (type === 'tap' && element instanceof HTMLElement && element.closest('wx-button[disabled]')) return undefined;
    const event = new Event(type, detail, options);
    if (type === 'tap') depth += 1;
    try {
      Event.dispatchEvent(target, event);
    } finally {
      if (type === 'tap') depth -= 1;
    }
    return event.getEventBubbleStatus();
  });
  return { inside: () => depth > 0 };
}
