import type { ComponentSpace } from 'glass-easel';
import type { Native } from '../native.ts';
import { defineButton } from './components/button.ts';
import { defineForm } from './components/form.ts';
import { defineImage } from './components/image.ts';
import { defineInput } from './components/input.ts';
import { createOpenTypes } from './components/open-types.ts';
import type { Dialogs } from './dialogs.ts';
import type { Files } from './files.ts';
import type { Privacy } from './privacy.ts';

interface Deps {
  space: ComponentSpace;
  native: Native;
  dialogs: Dialogs;
  privacy: Privacy;
  files: Files;
}

/** The built-in components that do more than a `<div>`; `view` and `text` are plain nodes. Properties become attributes, for CSS. */
export function registerBuiltins(deps: Deps): void {
  const { space } = deps;
  const components = {
    image: defineImage(deps),
    input: defineInput(deps),
    form: defineForm(space),
    button: defineButton(space, createOpenTypes(deps)),
  };
  for (const [tag, component] of Object.entries(components)) {
    space.setGlobalUsingComponent(`wx-${tag}`, component as never);
  }
}
