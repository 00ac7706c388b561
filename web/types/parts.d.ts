/** What the ticker's modules hand to one another. */
import type { Words } from '../strings/index.js';
import type { TimeMode, Times } from './feed.d.ts';

/** What the attributes of a ticker ask for. */
export interface Settings {
	src: string | null;
	transport: string | null;
	/** Loaded once, and again on demand. */
	isStatic: boolean;
	/** News waits until the reader asks for it. */
	onDemand: boolean;
	paused: boolean;
	/** `list`, `compact` or `line`. */
	layout: string;
	/** One item alone, in a bar. */
	line: boolean;
	tags: string[];
	max: number;
	/** The key points stand on top. */
	summarized: boolean;
	oldestFirst: boolean;
	/** What is announced: `all`, `breaking` or `off`. */
	announced: string | null;
	heading: string | null;
	/** Heading level of the title. */
	level: number;
	time: string | null;
	timezone: string | null;
}

/** How one item is rendered. */
export interface ArticleOptions {
	words: Words;
	times: Times;
	layout: string;
	/** Heading level of an item's headline. */
	level: number;
	/** Permalink of the item. */
	href: string;
}

/** How all rows are rendered. */
export interface RowOptions extends Omit<ArticleOptions, 'href'> {
	/** The server's clock. */
	now: number;
	timeMode: TimeMode;
}

/** What the element asks of the ticker behind it. */
export interface Ticker {
	connect(): void;
	disconnect(): void;
	showPending(): void;
	refresh(): void;
}
