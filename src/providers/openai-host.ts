/** The hosts of OpenAI's own service, "api.openai.com" and those of its regions. */
export const OPENAI_HOST = /(^|\.)api\.openai\.com$/;
