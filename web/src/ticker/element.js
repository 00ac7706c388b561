/**
 * `<live-ticker src>`: a thin skin over the modules beside it. Its attributes are its settings, and properties too.
 *
 * @import { Ticker } from '../../types/parts.d.ts'
 */
import { strings } from '../../strings/index.js';
import { reflect } from './settings.js';
import { newTicker } from './ticker.js';

export class LiveTicker extends HTMLElement {
	/** Words by language; a page may add its own. */
	static strings = strings;

	/** @type {Ticker} */
	#ticker;

	constructor() {
		super();
		this.#ticker = newTicker(
			/** @type {any} */ (this),
			this.attachShadow({ mode: 'open' }),
			this.attachInternals(),
		);
		reflect(this);
	}

	connectedCallback() {
		this.#ticker.connect();
	}

	disconnectedCallback() {
		this.#ticker.disconnect();
	}

	/** Keep the list as it is; only withdrawals still change it. */
	pause() {
		this.paused = true;
	}

	/** Let news in again. */
	resume() {
		this.paused = false;
	}

	/** Show the items that wait behind the button. */
	showPending() {
		this.#ticker.showPending();
	}

	/** Ask for what is new, now. */
	refresh() {
		this.#ticker.refresh();
	}

	/** Close the connection and open another. */
	reconnect() {
		this.refresh();
	}
}
