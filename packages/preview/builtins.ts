/** WeChat's built-in components that the preview knows; any other tag in a template is refused. */
export const builtinTags = ['view', 'text', 'image', 'button', 'input', 'form'] as const;
