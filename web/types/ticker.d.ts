/** `<live-ticker>` for those who embed it: attributes, methods and events. */
import type { Status } from './feed.d.ts';
import type { Item } from './wire.d.ts';

export type { Item, Status };

export interface LiveTickerAttributes {
	/** Address of the feed page, e.g. `https://news.example/feeds/world`. */
	src: string;
	/** The title; by default the feed's own. */
	heading?: string;
	/** Level of the title among the page's headings, 2 by default; items are one below. */
	'heading-level'?: number | string;
	/** When news is let in: where it disturbs nobody (the default), on demand, or never. */
	mode?: 'auto' | 'notify' | 'static';
	layout?: 'list' | 'compact' | 'line';
	/** Rows at most. A ticker begins with the feed’s newest 50 items and the pinned ones; more than that it shows only as news comes. 50 by default. */
	max?: number | string;
	/** The feed's key points, folded, on top of the list. */
	summary?: boolean | '';
	order?: 'newest' | 'oldest';
	paused?: boolean | '';
	lang?: string;
	theme?: 'inherit' | 'auto' | 'light' | 'dark';
	time?: 'relative' | 'absolute' | 'both';
	/** An IANA zone, or `local` for the reader's; by default the feed's. */
	timezone?: string;
	/** Only items with one of these tags, separated by commas. It filters the feed’s newest 50 items, the pinned ones and what comes while the page is open; it does not search further back. */
	tags?: string;
	/** What is announced to screen readers. */
	announce?: 'all' | 'breaking' | 'off';
	/** The transport to begin with; the others follow when it fails. */
	transport?: 'ws' | 'sse' | 'poll';
}

export interface LiveTickerEvents {
	/** `since` is the server's time, in ms, at which the feed was last known to be up to date; 0 before the first message, absent where there is no feed. */
	'ticker-status': CustomEvent<{ status: Status; since?: number }>;
	/** Before an item, or a new state of one, is shown; cancel it to leave the item out. */
	'ticker-item': CustomEvent<{ item: Item; first: boolean }>;
	/** The number of items that wait behind the button has changed. */
	'ticker-pending': CustomEvent<{ count: number }>;
	'ticker-ended': CustomEvent<{ message: string }>;
	/** The feed cannot be loaded; nothing is tried again before `refresh`. */
	'ticker-error': CustomEvent<{ message: string }>;
}

/** The attributes as properties. What is set reflects in the attribute; null, undefined and false remove it. */
export interface LiveTickerProperties {
	src: string | null | undefined;
	heading: string | null | undefined;
	headingLevel: number | string | null | undefined;
	mode: LiveTickerAttributes['mode'] | null;
	layout: LiveTickerAttributes['layout'] | null;
	max: number | string | null | undefined;
	summary: boolean;
	order: LiveTickerAttributes['order'] | null;
	paused: boolean;
	theme: LiveTickerAttributes['theme'] | null;
	time: LiveTickerAttributes['time'] | null;
	timezone: string | null | undefined;
	/** A list is joined by commas. */
	tags: string | readonly string[] | null | undefined;
	announce: LiveTickerAttributes['announce'] | null;
	transport: LiveTickerAttributes['transport'] | null;
}

export interface LiveTicker extends HTMLElement, LiveTickerProperties {
	/** Keep the list as it is; only withdrawals still change it. */
	pause(): void;
	/** Let news in again. */
	resume(): void;
	/** Show the items that wait behind the button. */
	showPending(): void;
	/** Ask for what is new, now. */
	refresh(): void;
	/** Close the connection and open another. */
	reconnect(): void;
	addEventListener<Type extends keyof LiveTickerEvents>(
		type: Type,
		listener: (event: LiveTickerEvents[Type]) => void,
		options?: boolean | AddEventListenerOptions,
	): void;
	addEventListener(
		type: string,
		listener: EventListenerOrEventListenerObject,
		options?: boolean | AddEventListenerOptions,
	): void;
}

export interface LiveTickerConstructor {
	new (): LiveTicker;
	/** Words by language tag; a page adds its own. */
	strings: Record<string, Record<string, string> | null | undefined>;
}

declare global {
	interface HTMLElementTagNameMap {
		'live-ticker': LiveTicker;
	}
}
