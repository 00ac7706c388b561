/** Older pages: what can come of loading one. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { apply, inOrder, newState } from '../../web/src/feed/client.js';
import { loadOlder } from '../../web/src/feed/paging.js';
import { Feed } from './feed.js';

let feed;
let connection;
/** What was asked for, with the cache mode. */
let asked;
/** Answers in place of the feed's own, by the beginning of the path. */
let instead;

globalThis.fetch = async (url, { cache }) => {
	const { pathname, searchParams } = new URL(url);
	const path = pathname.split('/').at(-1);
	asked.push([path, cache, Object.fromEntries(searchParams)]);
	const answer = instead[path]?.shift();
	if (answer === 503) return { ok: false, status: 503, statusText: 'Busy' };
	const own = () =>
		path === 'items'
			? feed.page(searchParams.get('before'))
			: feed.since(searchParams.get('since'));
	return {
		ok: true,
		json: async () => (typeof answer === 'function' ? answer() : (answer ?? own())),
	};
};

beforeEach(() => {
	feed = new Feed();
	for (let i = 0; i < 12; i++) feed.put({ headline: 'As posted' });
	const state = newState();
	apply(state, feed.snapshot(), 0);
	connection = { apiUrl: 'https://news.example/v1/feeds/world', state };
	asked = [];
	instead = {};
});

const shown = () => [...connection.state.items.values()].sort(inOrder).map(({ id }) => id);
const paths = () => asked.map(([path]) => path);

test('a page is added, until the list ends', async () => {
	const { outcome, items } = await loadOlder(connection);
	assert.equal(outcome, 'added');
	assert.deepEqual(
		items.map(({ id }) => id),
		[7, 6, 5, 4, 3],
	);
	await loadOlder(connection);
	assert.deepEqual(shown(), [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
	assert.deepEqual(await loadOlder(connection), { outcome: 'end', items: [] });
	assert.deepEqual(paths(), ['items', 'items']);
});

test('a page of another list is asked for as that list', async () => {
	await loadOlder(connection, { limit: 50, tag: 'rain & sun', q: 'a b' });
	const [[, , query]] = asked;
	assert.deepEqual(query, { limit: '50', before: '8', tag: 'rain & sun', q: 'a b' });
});

test('a page that is older or newer than the client is completed first', async () => {
	const early = feed.page('8');
	const { cursor } = feed;
	feed.put({ id: 5, headline: 'As updated' });
	apply(connection.state, feed.since(cursor), 0);
	instead.items = [early];
	await loadOlder(connection);
	assert.equal(connection.state.items.get(5).headline, 'As updated');
	assert.deepEqual(paths(), ['items', 'changes']);
});

test('a page of another journal is not added, whichever answer tells of it', async () => {
	const { state } = connection;
	instead.items = [{ ...feed.page('8'), epoch: 'e2' }];
	assert.equal((await loadOlder(connection)).outcome, 'replaced');
	instead.items = [{ ...feed.page('8'), cursor: 'e1.3' }];
	instead.changes = [new Feed('e2').snapshot()];
	assert.equal((await loadOlder(connection)).outcome, 'replaced');
	assert.equal(state.items.size, 5);
});

test('a failure rejects, and the next try begins where that one did', async () => {
	instead.items = [503];
	await assert.rejects(loadOlder(connection), /503/);
	assert.equal((await loadOlder(connection)).outcome, 'added');
	assert.equal(shown().length, 10);
});

test('a page out of a cache that is too old to be completed is asked for past the caches, once', async () => {
	const early = { ...feed.page('8'), cursor: 'e1.2' };
	instead.items = [early];
	instead.changes = [feed.snapshot()];
	assert.equal((await loadOlder(connection)).outcome, 'added');
	assert.deepEqual(
		asked.map(([path, cache]) => `${path} ${cache}`),
		['items no-cache', 'changes no-cache', 'items reload'],
	);
	connection.state.next = '8';
	instead.items = [early, early];
	instead.changes = [feed.snapshot(), feed.snapshot()];
	await assert.rejects(loadOlder(connection), /too old/);
});

test('where a snapshot moves the place of older pages meanwhile, the page after it is loaded', async () => {
	const { state } = connection;
	instead.items = [
		() => {
			const page = feed.page('8');
			for (let i = 0; i < 4; i++) feed.put({});
			apply(state, feed.snapshot(), 0);
			return page;
		},
	];
	assert.equal((await loadOlder(connection)).outcome, 'added');
	assert.deepEqual(shown(), [16, 15, 14, 13, 12, 11, 10, 9, 8, 7]);
});
