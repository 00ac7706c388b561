/** What the feed page's modules hand to one another. */
import type { Item } from './wire.d.ts';

/** The words of one language, from web/pages/words. */
export interface PageWords {
	language: string;
	months: string[];
	weekdays: string[];
	// biome-ignore lint/suspicious/noExplicitAny: all others are strings, which the index signature cannot say
	[name: string]: any;
}

/** Words, and times as the server writes them; all take milliseconds. */
export interface Wording {
	words: PageWords;
	clock(ms: number): string;
	/** The day in full. */
	day(ms: number): string;
	/** The zone as its distance from UTC. */
	offset(ms: number): string;
	/** Date, time and zone. */
	dated(ms: number): string;
	/** The same of each, with seconds for those of the same minute. */
	apart(times: number[]): string[];
	/** Time of day alone where `other`, of the same day and zone, stands by it. */
	beside(ms: number, other: number): string;
}

/** How a page renders its rows. */
export interface RowOptions {
	wording: Wording;
	/** Address of the feed's page. */
	src: string;
	/** Language of the feed. */
	language?: string;
	/** Heading level of a headline: 1 on an item's own page. */
	level: number;
}

/** What belongs on a page: the newest, what bears a tag, only what is on it or was found, one item. */
export type Scope = 'front' | 'tag' | 'page' | 'search' | 'item';

export interface PageRows {
	/** Forget the rows: they are of another journal. */
	clear(): void;
	/** Show these items in this order, touching only what changed; marks the arrived ones as new, once. */
	paint(items: Item[], arrived: Set<number>, pinsOnTop: boolean): void;
}
