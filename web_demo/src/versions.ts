/** The versions of what the page is made of. */

import page from "../package.json" with { type: "json" };

export const versions = { "lenet-edge": page.version, "LiteRT.js": page.dependencies["@litertjs/core"] };
