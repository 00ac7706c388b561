/** Which items a ticker shows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apply, newState } from '../../web/src/feed/client.js';
import { select } from '../../web/src/feed/selection.js';
import { Feed } from './feed.js';

const selection = (given) => ({
	tags: [],
	max: 50,
	oldestFirst: false,
	pending: new Set(),
	canceled: new Set(),
	...given,
});

function feedOf(...items) {
	const feed = new Feed();
	for (const item of items) feed.put(item);
	const state = newState();
	apply(state, feed.snapshot(), 0);
	return { feed, state };
}

const ids = (state, how) => select(state, how).map(({ id }) => id);

test('pins first, then newest; at most so many', () => {
	const { state } = feedOf({ pinned: true }, {}, {}, {});
	assert.deepEqual(ids(state, selection()), [1, 4, 3, 2]);
	assert.deepEqual(ids(state, selection({ max: 2 })), [1, 4]);
});

test('oldest first turns the newest ones around, under the pins', () => {
	const { state } = feedOf({}, { pinned: true }, {}, {});
	assert.deepEqual(ids(state, selection({ oldestFirst: true, max: 3 })), [2, 3, 4]);
});

test('in a line there is one item: breaking news, else what is pinned, else the newest', () => {
	const { feed, state } = feedOf({ pinned: true }, {}, { breaking: true }, {});
	assert.deepEqual(ids(state, selection({ line: true, max: 1 })), [3]);
	const { cursor } = feed;
	feed.put({ id: 3, breaking: false });
	apply(state, feed.since(cursor), 0);
	assert.deepEqual(ids(state, selection({ line: true, max: 1 })), [1]);
});

test('what waits or was canceled by the page is not shown', () => {
	const { feed, state } = feedOf({}, {}, {}, {});
	const how = selection({ pending: new Set([3, 4]), canceled: new Set([1]) });
	assert.deepEqual(ids(state, how), [2]);
	const { cursor } = feed;
	feed.kill(4);
	apply(state, feed.since(cursor), 0);
	assert.deepEqual(ids(state, how), [2]);
});

test('a tag filter shows an item while it has the tag', () => {
	const { feed, state } = feedOf({ tags: ['a'] }, { tags: ['b'] }, {});
	const how = selection({ tags: ['a', 'c'] });
	assert.deepEqual(ids(state, how), [1]);
	let { cursor } = feed;
	feed.put({ id: 2, tags: ['c'] });
	apply(state, feed.since(cursor), 0);
	assert.deepEqual(ids(state, how), [2, 1]);
	({ cursor } = feed);
	feed.put({ id: 2, tags: [] });
	apply(state, feed.since(cursor), 0);
	assert.deepEqual(ids(state, how), [1]);
});

test('a tombstone applies whatever the filter, and shows only where the item stood', () => {
	const { feed, state } = feedOf({ tags: ['a'] }, { tags: ['b'] });
	const how = selection({ tags: ['a'] });
	const shown = select(state, how);
	assert.deepEqual(
		shown.map(({ id }) => id),
		[1],
	);
	const { cursor } = feed;
	feed.kill(1);
	feed.kill(2);
	apply(state, feed.since(cursor), 0);
	assert.deepEqual(
		select(state, { ...how, shown }).map(({ id, status }) => [id, status]),
		[[1, 'killed']],
	);
	assert.deepEqual(ids(state, how), [], 'nor anywhere once other tags are asked for');
});
