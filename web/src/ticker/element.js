/**
 * `<live-ticker src>`: a thin skin over the modules beside it. Its attributes are its settings.
 *
 * @import { Ticker } from '../../types/modules.d.ts'
 */
import { strings } from '../../strings/index.js';
import { ticker } from './ticker.js';

export class LiveTicker extends HTMLElement {
	/** Words by language; a page may add its own. */
	static strings = strings;

	/** @type {Ticker} */
	#ticker;

	constructor() {
		super();
		this.#ticker = ticker(this, this.attachShadow({ mode: 'open' }), this.attachInternals());
	}

	connectedCallback() {
		this.#ticker.begin();
	}

	disconnectedCallback() {
		this.#ticker.end();
	}

	/** Hold the view as it is; only withdrawals still reach it. */
	pause() {
		this.toggleAttribute('paused', true);
	}

	/** Let news in again. */
	resume() {
		this.toggleAttribute('paused', false);
	}

	/** Paint the items that wait behind the button. */
	showPending() {
		this.#ticker.admit();
	}

	/** Ask for what is new, now. */
	refresh() {
		this.#ticker.renew();
	}

	/** Drop the connection and make another. */
	reconnect() {
		this.refresh();
	}
}
