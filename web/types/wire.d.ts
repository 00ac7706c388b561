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
