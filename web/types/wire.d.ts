/** What travels between the server and a reader, and what a reader keeps of it. */

/** A plain string, or words with a look or a link. */
export type Span = string | { text: string; strong?: boolean; em?: boolean; href?: string };

export interface Media {
	url: string;
	alt?: string;
	width?: number;
	height?: number;
	credit?: string;
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
	blocks?: Span[][];
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
	/** The latest change was imported at its own, past time: shown, not counted as new. */
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
	url?: string;
	created_at?: string;
	closed_at?: string;
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
}

/** One text that readers were shown, from `items/{id}/history`. */
export interface Revision {
	version: number;
	verb: 'post' | 'update' | 'correct';
	at: string;
	headline: string;
	blocks?: Span[][];
}

/** What a reader knows of one feed. */
export interface State {
	epoch: string;
	cursor: string;
	/** id to version of every item ever sent in this epoch, shown or not. */
	versions: Map<number, number>;
	/** The items that may be shown. */
	items: Map<number, Item>;
	feed?: Feed;
	/** Items older than this one are shown only if pinned. */
	floor?: Item;
	/** Where the next older page starts; empty at the end. */
	next: string;
	heartbeat: number;
	/** Heartbeats in a row whose cursor was not ours. */
	strays: number;
	ended: boolean;
	/** The largest server time heard, and the monotonic moment it was heard; milliseconds. */
	now: number;
	heardAt: number;
}

export interface Change {
	item: Item;
	/** What was held of it before, if anything. */
	before: Item | undefined;
	/** Never sent before in this epoch. */
	unknown: boolean;
}

export interface Effect {
	/** Come back with our own cursor. */
	ask?: boolean;
	/** Milliseconds after which the server wants to see us again. */
	retry?: number;
	/** What is new to us; absent when the message carried no news. */
	changes?: Change[];
	/** The first snapshot of an epoch: nothing in it counts as new. */
	first?: boolean;
}
