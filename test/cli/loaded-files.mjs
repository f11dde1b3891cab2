// Preloaded with --import: writes the URL of each module that is loaded from a file to the file that LOADED_FILES names.
import { appendFileSync } from "node:fs";
import { registerHooks } from "node:module";

registerHooks({
  load(url, context, next) {
    if (url.startsWith("file:")) appendFileSync(process.env.LOADED_FILES, `${url}\n`);
    return next(url, context);
  },
});
