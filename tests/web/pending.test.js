/** What waits behind the "new updates" button, and what counts as news. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apply, newState } from '../../web/src/feed/client.js';
import { newPending, newsIn } from '../../web/src/feed/pending.js';
import { Feed } from './feed.js';

const never = () => false;
const always = () => true;

/** Add news until this id, from the one after `first` on, at one moment. */
function add(pending, first, last, tick = 0, disturbs = never) {
	for (let id = first; id <= last; id++) pending.add(id, tick, disturbs);
}

/** The change that one act makes of a feed with one item. */
function changeOf(act) {
	const feed = new Feed();
	const item = feed.put({ headline: 'Old' });
	const state = newState();
	apply(state, feed.snapshot(), 0);
	const { cursor } = feed;
	act(feed, item);
	return apply(state, feed.since(cursor), 0).changes[0];
}

test('three items at once come in, the fourth waits', () => {
	const pending = newPending(always);
	add(pending, 1, 4);
	assert.deepEqual([...pending.ids], [4]);
	assert.deepEqual([...pending.arrived], [1, 2, 3, 4]);
});

test('a burst is over after a quarter of a second', () => {
	const pending = newPending(always);
	add(pending, 1, 3, 1000);
	add(pending, 4, 6, 1250);
	assert.equal(pending.count(), 0);
	add(pending, 7, 7, 1499);
	assert.deepEqual([...pending.ids], [7]);
});

test('the first three come in at any moment since the page was opened', () => {
	const pending = newPending(always);
	add(pending, 1, 3, 0);
	assert.equal(pending.count(), 0);
});

test('what would disturb the reader waits, and so does all that comes after it', () => {
	const pending = newPending(always);
	pending.add(1, 0, always);
	pending.add(2, 1000, never);
	assert.deepEqual([...pending.ids], [1, 2]);
});

test('what was withdrawn or left the selection meanwhile is not counted and lets news in again', () => {
	const gone = new Set();
	const pending = newPending((id) => !gone.has(id));
	pending.add(1, 0, always);
	pending.add(2, 0, always);
	gone.add(1);
	assert.equal(pending.count(), 1);
	gone.add(2);
	pending.add(3, 1000, never);
	assert.equal(pending.count(), 0);
	assert.equal(pending.ids.has(3), false);
});

test('whether the reader would be disturbed is asked only where it matters', () => {
	const pending = newPending(always);
	add(pending, 1, 4);
	pending.add(5, 1, () => assert.fail('asked in a burst'));
});

test('cleared, nothing waits and nothing is marked as new', () => {
	const pending = newPending(always);
	add(pending, 1, 9);
	pending.clear();
	assert.equal(pending.count(), 0);
	assert.equal(pending.arrived.size, 0);
});

test('a new item is news, breaking or not', () => {
	assert.equal(newsIn(changeOf((feed) => feed.put({}))), 'news');
	assert.equal(newsIn(changeOf((feed) => feed.put({ breaking: true }))), 'breaking');
});

test('a correction is news, another edit is not', () => {
	const corrections = [{ at: '2025-05-17T10:00:00.000Z', note: 'It was 7.' }];
	assert.equal(newsIn(changeOf((feed, { id }) => feed.put({ id, corrections }))), 'correction');
	assert.equal(newsIn(changeOf((feed, { id }) => feed.put({ id, headline: 'New' }))), '');
	assert.equal(newsIn(changeOf((feed, { id }) => feed.put({ id, breaking: true }))), '');
});

test('a new item that was corrected before it came is a new item', () => {
	const corrections = [{ at: '2025-05-17T10:00:00.000Z', note: 'It was 7.' }];
	assert.equal(newsIn(changeOf((feed) => feed.put({ corrections }))), 'news');
});

test('a withdrawal is no news', () => {
	assert.equal(newsIn(changeOf((feed, { id }) => feed.kill(id))), '');
});

test('imported changes are no news, not even breaking ones and corrections', () => {
	const corrections = [{ at: '2025-05-17T10:00:00.000Z', note: 'It was 7.' }];
	for (const fields of [{}, { breaking: true }, { corrections }]) {
		const imported = { ...fields, imported: true };
		assert.equal(newsIn(changeOf((feed) => feed.put(imported))), '');
		assert.equal(newsIn(changeOf((feed, { id }) => feed.put({ id, ...imported }))), '');
	}
});
