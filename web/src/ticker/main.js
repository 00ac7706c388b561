/** The one file that sites embed: defines `<live-ticker>`, once, however often it is included. */
import { LiveTicker } from './element.js';

if (!customElements.get('live-ticker')) customElements.define('live-ticker', LiveTicker);
