/** What the modules of web/src/feed keep and hand out. */
import type { Status } from './ticker.d.ts';
import type { Feed, Item, Revision } from './wire.d.ts';

export type { Status };

/** What a reader knows of one feed. */
export interface State {
	epoch: string;
	cursor: string;
	/** id to version of every item ever sent in this epoch, shown or not. */
	versions: Map<number, number>;
	/** The items that may be shown. */
	items: Map<number, Item>;
	feed?: Feed;
	/** Ids of the older items that were reached back to, which are kept as they change; and by tag where its next page starts: '' at the end, 0 while it is on its way. */
	kept: Map<number | string, string | 0>;
	/** Items older than this one are shown only if pinned. */
	floor?: Item;
	/** Where the next older page starts; empty at the end. */
	next: string;
	/** Seconds between heartbeats. */
	heartbeat: number;
	/** Heartbeats in a row whose cursor was not ours. */
	mismatches: number;
	ended: boolean;
	/** The largest server time received, and the monotonic time when it came; ms. */
	now: number;
	nowAt: number;
}

/** An item that is newer than what the reader was sent before. */
export interface Change {
	item: Item;
	/** The state that was kept of it before, if any. */
	before: Item | undefined;
	/** Never sent before in this epoch. */
	unknown: boolean;
}

/** What a message means for the connection and for what is shown. */
export interface Effect {
	/** Ask again from our own cursor. */
	askAgain?: boolean;
	/** Milliseconds after which the server wants to see us again. */
	retry?: number;
	/** Absent when the message moved no cursor. */
	changes?: Change[];
	/** The message was a snapshot. */
	snapshot?: boolean;
	/** It was the first snapshot of an epoch: nothing in it is news. */
	newEpoch?: boolean;
	/** The items were reached back to: they are no news. */
	first?: boolean;
}

/** Called with the effect of each message, or with nothing when only the status changed. */
export type Listener = (effect?: Effect) => void;

/** The page's one connection to a feed. */
export interface Connection {
	/** The feed's API address. */
	readonly apiUrl: string;
	readonly state: State;
	status: Status;
	/** Server time in ms at which the feed was last known to be up to date; 0 before the first message. */
	upToDateAt: number;
	/** The server's clock in ms; meaningless before the first message. */
	now(): number;
	/** The texts of an item that readers were shown, oldest first. */
	historyOf(id: number): Promise<Revision[]>;
	/** Load the next older page of a tag, or of the whole feed, unless it is on its way; tells whether there may be more. */
	reach(tag: string): boolean;
	/** Call the listener on every change of state or status; returns the function that stops it. */
	subscribe(listener: Listener): () => void;
	/** Connect anew from the cursor, by the best transport. */
	reconnect(): void;
}

/** What came of loading an older page: its items, none where the list ends, none where the feed is another journal now. */
export interface Older {
	outcome: 'added' | 'end' | 'replaced';
	items: Item[];
}

/** Which items a ticker shows. */
export interface Selection {
	tags: string[];
	max: number;
	/** One item alone. */
	line: boolean;
	oldestFirst: boolean;
	/** Ids of items that wait behind the button. */
	pending: Set<number>;
	/** Ids of items whose `ticker-item` event the page canceled. */
	canceled: Set<number>;
	/** What was selected last, if anything was. */
	shown?: Item[];
}

/** Items that wait behind the "new updates" button, and items to be marked as new. */
export interface Pending {
	/** Ids of the items that wait: they are not shown. */
	readonly ids: Set<number>;
	/** Ids of the items to be marked as new when their rows are first painted. */
	readonly arrived: Set<number>;
	/** How many items wait that would be shown if they did not. */
	count(): number;
	/**
	 * Take a new item in: it waits in a burst, behind others, or where it would disturb the reader.
	 *
	 * @param tick monotonic ms
	 * @param disturbs asked only where it matters
	 */
	add(id: number, tick: number, disturbs: () => unknown): void;
	/** Forget all. */
	clear(): void;
}

/** What a change tells a reader; empty when it is not news. */
export type News = '' | 'news' | 'breaking' | 'correction';

/** A run of a word diff: removed, kept or added. */
export interface Edit {
	kind: -1 | 0 | 1;
	text: string;
}

export type TimeMode = 'relative' | 'absolute' | 'both';

/** Formats for one language and zone; all take ms of the server's clock. */
export interface Times {
	/** Date, time and zone. */
	dated(ms: number): string;
	/** Time of day alone where `other`, of the same day, stands by it. */
	beside(ms: number, other: number): string;
	/** The day in full, and the zone. */
	day(ms: number): string;
	/** The time of a row; `alone` when no day separator stands above it. */
	label(ms: number, now: number, mode: TimeMode, alone?: boolean): string;
}
