/** Starts the page, and lets scripts of its visitors read pictures too. */

import { CODES } from "./core/paper";
import { Engine } from "./engine";
import { filesOf } from "./files";
import { App } from "./page/app";
import { paintLogo } from "./page/logo";
import { scriptsOf } from "./scripts";

paintLogo(CODES[5]);
const engine = Engine.start(filesOf(document));
const app = new App();
Object.assign(window, { lenetEdge: scriptsOf(engine) });
void app.start(engine);
