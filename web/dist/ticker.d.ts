/**
 * `<live-ticker>` for those who embed it: attributes, properties, methods, events, and its tag in React and Vue.
 * Put this file beside your own sources; it needs no other.
 */
export type Status = 'connecting' | 'live' | 'stale' | 'ended' | 'error';

export interface LiveTickerAttributes {
	/** Address of the feed page, e.g. `https://news.example/feeds/world`. */
	src: string;
	/** The title; by default the feed's own. Empty: none. */
	heading?: string;
	/** Level of the title among the page's headings, 2 by default; items are one below. */
	'heading-level'?: number | string;
	/** When news is let in: where it disturbs nobody (the default), on demand, or never. */
	mode?: 'auto' | 'notify' | 'static';
	layout?: 'list' | 'compact' | 'line';
	/** Rows at most, up to 500. A ticker begins with the feed’s newest 50 items and the pinned ones, and loads older ones where it has room for more. 50 by default. */
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
	/** Only items with one of these tags, separated by commas; upper and lower case are one. Where the newest 50 items have fewer than max, older ones are loaded. */
	tags?: string;
	/** What is announced to screen readers. */
	announce?: 'all' | 'breaking' | 'off';
	/** The transport to begin with; the others follow when it fails. */
	transport?: 'ws' | 'sse' | 'poll';
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
}

/** The words of one language; what is left out is said in English. */
export interface TickerWords {
	dir?: 'ltr' | 'rtl';
	pause?: string;
	resume?: string;
	summary?: string;
	/** `one|other`, or `one|few|many`; `{n}` is the number. */
	updates?: string;
	/** `{t}` is the time. */
	updated?: string;
	correction?: string;
	held?: string;
	killed?: string;
	breaking?: string;
	pinned?: string;
	live?: string;
	connecting?: string;
	/** `{t}` is the time. */
	stale?: string;
	ended?: string;
	error?: string;
	empty?: string;
}

export interface LiveTickerConstructor {
	new (): LiveTicker;
	/** Words by language tag; a page adds its own. */
	readonly strings: { en: TickerWords; [language: string]: TickerWords | undefined };
}

/** What every element takes in JSX, in the names of React and of others. */
interface ElementAttributes<Node> {
	id?: string;
	class?: unknown;
	className?: string;
	style?: object | string;
	slot?: string;
	part?: string;
	title?: string;
	hidden?: boolean;
	dir?: string;
	role?: string;
	tabIndex?: number;
	key?: string | number;
	ref?: ((element: Node | null) => unknown) | { current: Node | null } | null;
	/** What is shown until the first items are painted. */
	children?: unknown;
	suppressHydrationWarning?: boolean;
}

type JsxListeners = {
	[Type in keyof LiveTickerEvents as `on${Type}`]?: (event: LiveTickerEvents[Type]) => void;
};

/** `<live-ticker>` in JSX. React writes an event's name as it is: `onticker-item`. */
export type LiveTickerJsx = Omit<LiveTickerAttributes, 'tags'> &
	Partial<Pick<LiveTickerProperties, 'headingLevel' | 'tags'>> &
	ElementAttributes<LiveTicker> &
	JsxListeners;

/** `<live-ticker>` in Vue's templates: `:paused="false"`, `@ticker-item="…"`. */
export interface LiveTickerVue {
	new (): {
		$props: Omit<LiveTickerAttributes, 'tags'> &
			Partial<Pick<LiveTickerProperties, 'headingLevel' | 'tags'>> & {
				onTickerStatus?: (event: LiveTickerEvents['ticker-status']) => void;
				onTickerItem?: (event: LiveTickerEvents['ticker-item']) => void;
				onTickerPending?: (event: LiveTickerEvents['ticker-pending']) => void;
				onTickerEnded?: (event: LiveTickerEvents['ticker-ended']) => void;
				onTickerError?: (event: LiveTickerEvents['ticker-error']) => void;
			};
	};
}

declare global {
	interface HTMLElementTagNameMap {
		'live-ticker': LiveTicker;
	}
	/** The events bubble out of shadow roots: elements, documents and windows hear them. */
	interface GlobalEventHandlersEventMap extends LiveTickerEvents {}
	interface CustomElementRegistry {
		get(name: 'live-ticker'): LiveTickerConstructor | undefined;
		whenDefined(name: 'live-ticker'): Promise<LiveTickerConstructor>;
	}
	/** React up to 18, Preact and others. */
	namespace JSX {
		interface IntrinsicElements {
			'live-ticker': LiveTickerJsx;
		}
	}
}

// @ts-ignore: there need be no React
declare module 'react' {
	namespace JSX {
		interface IntrinsicElements {
			'live-ticker': LiveTickerJsx;
		}
	}
}

// @ts-ignore: there need be no Vue
declare module 'vue' {
	interface GlobalComponents {
		LiveTicker: LiveTickerVue;
		'live-ticker': LiveTickerVue;
	}
}

/** What the server sends: items, feeds, live messages, pages of older items. */

/** Plain text, or text with emphasis or a link. */
export type Span = string | { text: string; strong?: boolean; em?: boolean; href?: string };

/** A part of a body. A later server may send other kinds. */
export type Block = Span[] | List | Quote;

export interface List {
	list: Span[][];
	ordered?: boolean;
}

export interface Quote {
	/** Its paragraphs. */
	quote: Span[][];
	/** Who said it. */
	cite?: string;
}

export interface Media {
	url: string;
	alt?: string;
	width?: number;
	height?: number;
	credit?: string;
	caption?: string;
	/** A MIME type of image, video or audio; without it, a picture. */
	type?: string;
}

export interface Item {
	id: number;
	feed: string;
	/** Sequence of the item's latest record; a higher one is newer. */
	version: number;
	etag?: string;
	status: 'live' | 'held' | 'killed';
	published_at: string;
	/** Absent only from the tombstone of a withdrawn item. */
	headline?: string;
	blocks?: Block[];
	updated_at?: string;
	occurred_at?: string;
	byline?: string;
	source?: string;
	url?: string;
	tags?: string[];
	breaking?: boolean;
	pinned?: boolean;
	language?: string;
	media?: Media[];
	corrections?: { at: string; note: string }[];
	/** The latest change was imported at its own, past time: it is shown, and is not news. */
	imported?: boolean;
	killed_at?: string;
	note?: string;
}

export interface Feed {
	slug: string;
	title: string;
	language?: string;
	timezone?: string;
	description?: string;
	/** The key points. */
	summary?: Block[];
	/** When a fact of them changed last. */
	summary_at?: string;
	url?: string;
	created_at?: string;
	closed_at?: string;
	/** Sequence of the latest record of the feed itself. */
	version?: number;
	cursor?: string;
}

export interface Message {
	type: 'snapshot' | 'changes' | 'heartbeat' | 'goodbye' | 'ended';
	epoch: string;
	cursor: string;
	now?: string;
	since?: string;
	items?: Item[];
	feed?: Feed;
	next?: string;
	/** Seconds between heartbeats. */
	heartbeat?: number;
	retry_ms?: number;
}

/** An answer to `items?before=`. */
export interface Page {
	items: Item[];
	epoch: string;
	cursor: string;
	next?: string;
	feed?: Feed;
	now?: string;
	/** What changed since the page was fetched; not sent, but added by `completePage`. */
	changed?: Item[];
}

/** One text that readers were shown, from `items/{id}/history`. */
export interface Revision {
	version: number;
	verb: 'post' | 'update' | 'correct';
	at: string;
	headline: string;
	blocks?: Block[];
}
