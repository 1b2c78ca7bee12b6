/** Starts the page, and lets scripts of its visitors read pictures too. */

import { CODES } from "./core/paper.ts";
import { Engine } from "./engine.ts";
import { filesOf } from "./files.ts";
import { App } from "./page/app.ts";
import { paintLogo } from "./page/logo.ts";
import { scriptsOf } from "./scripts.ts";

paintLogo(CODES[5]);
const engine = Engine.start(filesOf(document));
const app = new App();
Object.assign(window, { lenetEdge: scriptsOf(engine) });
void app.start(engine);
