/** A feed in memory, small enough to be obviously right, that answers as the server does. */

const SNAPSHOT = 5;

/** Newest first. */
const newestFirst = (a, b) =>
	Date.parse(b.published_at) - Date.parse(a.published_at) || b.id - a.id;

export class Feed {
	items = new Map();
	sequence = 0;
	record = { slug: 'world', title: 'World' };
	/** How many items a message of a catch-up takes. */
	part = Infinity;

	constructor(epoch = 'e1') {
		this.epoch = epoch;
	}

	get cursor() {
		return `${this.epoch}.${this.sequence}`;
	}

	get now() {
		return new Date(Date.UTC(2025, 4, 17) + this.sequence * 1000).toISOString();
	}

	/** Post an item, or change one. */
	put({ id, ...fields }) {
		this.sequence++;
		const before = this.items.get(id) ?? {
			id: this.sequence,
			feed: 'world',
			status: 'live',
			published_at: this.now,
			headline: 'News',
		};
		const item = { ...before, ...fields, version: this.sequence };
		this.items.set(item.id, item);
		return item;
	}

	kill(id) {
		this.sequence++;
		const { feed, published_at } = this.items.get(id);
		const item = { id, feed, published_at, version: this.sequence, status: 'killed', note: 'No.' };
		this.items.set(id, item);
		return item;
	}

	newest(before, tag) {
		const all = [...this.items.values()].sort(newestFirst);
		const items = all.filter(({ id, tags }) => !tag || id === before || tags?.includes(tag));
		const from = before ? items.findIndex(({ id }) => id === before) + 1 : 0;
		const page = items.slice(from, from + SNAPSHOT);
		const rest = items.slice(from + SNAPSHOT);
		return { page, rest, next: rest.length ? String(page.at(-1).id) : undefined };
	}

	snapshot() {
		const { page, rest, next } = this.newest();
		const items = [...page, ...rest.filter(({ pinned }) => pinned)];
		return { type: 'snapshot', ...this.place, feed: this.record, items, next, heartbeat: 25 };
	}

	/** The message that answers a cursor; `most` changed items, or else a snapshot. */
	since(cursor, most = 200) {
		const [epoch, sequence] = cursor.split('.');
		const items = [...this.items.values()]
			.filter(({ version }) => version > Number(sequence))
			.sort((a, b) => a.version - b.version);
		if (epoch !== this.epoch || items.length > most) return this.snapshot();
		const part = items.slice(0, this.part);
		const place = { ...this.place };
		if (part.length < items.length) place.cursor = `${epoch}.${part.at(-1).version}`;
		const told = this.record.closed_at && { feed: this.record };
		return { type: 'changes', ...place, ...told, since: cursor, items: part };
	}

	/** The page that a former `next` leads to, of those with a tag if one is asked for. */
	page(before, tag) {
		const { page, next } = this.newest(Number(before), tag);
		return { ...this.place, items: page, next };
	}

	get place() {
		return { epoch: this.epoch, cursor: this.cursor, now: this.now };
	}
}
