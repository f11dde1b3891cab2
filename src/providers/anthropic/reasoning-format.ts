/** The form of reasoning details that Anthropic takes back (OpenRouter's name of it). */
export const FORMAT = "anthropic-claude-v1";
