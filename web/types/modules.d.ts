/** Shapes that the ticker's modules share with one another. */
import type { Words } from '../strings/index.js';
import type { Effect, Item, Revision, State } from './wire.d.ts';

export type TimeMode = 'relative' | 'absolute' | 'both';
export type Layout = 'list' | 'compact' | 'line';
export type Status = 'connecting' | 'live' | 'stale' | 'ended' | 'error';

/** Formats for one language and zone; all take and give milliseconds of the server's clock. */
export interface Times {
	/** Date, time and zone. */
	dated(ms: number): string;
	/** Time of day alone where `other`, of the same day, stands by it. */
	beside(ms: number, other: number): string;
	/** The day in full, and the zone. */
	day(ms: number): string;
	/** What a row says; `dated` when no day separator stands above it. */
	label(ms: number, now: number, mode: TimeMode, dated?: boolean): string;
}

export interface RowOptions {
	words: Words;
	times: Times;
	layout: Layout;
	/** Heading level of an item's headline. */
	level: number;
	/** Permalink of the item. */
	href: string;
}

export interface ListOptions extends Omit<RowOptions, 'href'> {
	/** The server's clock. */
	now: number;
	mode: TimeMode;
}

/** One reader's window on a feed. */
export interface View {
	tags: string[];
	max: number;
	line: boolean;
	oldestFirst: boolean;
	/** New items that wait behind the button. */
	pending: Set<number>;
	/** Items that the page refused. */
	vetoed: Set<number>;
	/** What stood here last, if anything did. */
	shown?: Item[];
}

/** A run of a word diff: removed, kept or added. */
export interface Edit {
	kind: -1 | 0 | 1;
	text: string;
}

/** Called with the effect of each message, or with nothing when only the status changed. */
export type Listener = (effect?: Effect) => void;

/** The page's one line to a feed. */
export interface Connection {
	/** The feed's API address. */
	readonly api: string;
	/** What is known of the feed. */
	readonly state: State;
	status: Status;
	/** Server time in ms at which the feed was last known to be fresh; 0 before its first word. */
	freshAt: number;
	/** The server's clock in ms; nothing to go by before its first word. */
	now(): number;
	/** What an item's readers were shown, oldest first. */
	historyOf(id: number): Promise<Revision[]>;
	/** Be told of every change of state or status; returns what ends it. */
	subscribe(listener: Listener): () => void;
	/** Start over with what is known, on the best way there is. */
	renew(): void;
}

export interface Ticker {
	begin(): void;
	end(): void;
	admit(): void;
	renew(): void;
}
