/**
 * `<live-ticker src>`: a thin skin over the modules beside it. Its attributes are its settings.
 *
 * @import { Ticker } from '../../types/ticker.d.ts'
 */
import { strings } from '../../strings/index.js';
import { newTicker } from './ticker.js';

export class LiveTicker extends HTMLElement {
	/** Words by language; a page may add its own. */
	static strings = strings;

	/** @type {Ticker} */
	#ticker;

	constructor() {
		super();
		this.#ticker = newTicker(this, this.attachShadow({ mode: 'open' }), this.attachInternals());
	}

	connectedCallback() {
		this.#ticker.connect();
	}

	disconnectedCallback() {
		this.#ticker.disconnect();
	}

	/** Keep the list as it is; only withdrawals still change it. */
	pause() {
		this.toggleAttribute('paused', true);
	}

	/** Let news in again. */
	resume() {
		this.toggleAttribute('paused', false);
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
