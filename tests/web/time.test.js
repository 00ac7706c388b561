/** Times as readers see them. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { timesFor } from '../../web/src/feed/time.js';
import { wordingFor } from '../../web/src/page/wording.js';

const at = (text) => Date.parse(text);
const now = at('2025-05-17T10:20:00Z');
const kyiv = timesFor('en', 'Europe/Kyiv');

test('relative times count from the server and never reach into the future', () => {
	const label = (text) => kyiv.label(at(text), now, 'relative');
	assert.equal(label('2025-05-17T10:19:30Z'), 'now');
	assert.equal(label('2025-05-17T10:15:00Z'), '5 min ago');
	assert.equal(label('2025-05-17T07:13:00Z'), '3 hr ago');
	assert.equal(label('2025-05-17T13:20:00Z'), 'now');
});

test('under its day a time is the time of day, in the zone asked for', () => {
	assert.equal(kyiv.label(at('2025-05-17T07:13:00Z'), now, 'absolute'), '10:13');
	assert.equal(timesFor('en', 'UTC').label(at('2025-05-17T07:13:00Z'), now, 'absolute'), '07:13');
	assert.equal(kyiv.label(at('2025-05-17T07:13:00Z'), now, 'both'), '10:13 · 3 hr ago');
});

test('a time without its day above carries date and zone, unless it is of today', () => {
	assert.equal(kyiv.label(at('2025-05-17T07:13:00Z'), now, 'absolute', true), '10:13');
	assert.equal(
		kyiv.label(at('2025-05-15T07:13:00Z'), now, 'both', true),
		'15 May 2025, 10:13 UTC+3',
	);
});

test('after a day a relative time gives way to the absolute one', () => {
	assert.equal(kyiv.label(at('2025-05-16T07:13:00Z'), now, 'relative'), '10:13');
});

test('the day is that of the zone', () => {
	assert.equal(kyiv.day(at('2025-05-16T22:30:00Z')), 'Saturday, 17 May 2025 UTC+3');
	assert.equal(timesFor('en', 'UTC').day(at('2025-05-16T22:30:00Z')), 'Friday, 16 May 2025 UTC');
	assert.equal(
		timesFor('uk', 'UTC').day(at('2025-05-16T22:30:00Z')),
		'пʼятниця, 16 травня 2025 р. UTC',
	);
});

test('a time beside another carries its date only where its day is another, whatever the day is now', () => {
	const published = at('2025-05-16T07:13:00Z');
	assert.equal(kyiv.beside(at('2025-05-16T20:59:00Z'), published), '23:59');
	assert.equal(kyiv.beside(at('2025-05-16T21:00:00Z'), published), '17 May 2025, 00:00 UTC+3');
});

test('ticker and pages write dates alike in every language', () => {
	const folder = new URL('../../web/pages/words/', import.meta.url);
	for (const name of readdirSync(folder)) {
		const words = JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
		for (const zone of ['UTC', 'Europe/Kyiv', 'America/St_Johns']) {
			const page = wordingFor(words, zone);
			const ticker = timesFor(words.language, zone);
			for (let month = 0; month < 12; month++) {
				const ms = Date.UTC(2025, month, 5 + month, 7, 8);
				assert.equal(ticker.dated(ms), page.dated(ms));
				assert.equal(ticker.day(ms), `${page.day(ms)} ${page.offset(ms)}`);
				assert.equal(ticker.beside(ms, now), page.beside(ms, now));
			}
		}
	}
	assert.equal(timesFor('en-US', 'UTC').dated(now), timesFor('en', 'UTC').dated(now));
});

test('an unknown zone does not stop the page', () => {
	assert.match(timesFor('en', 'Mars/Olympus').dated(now), /2025/);
	assert.match(timesFor('en', null, 'Mars/Olympus').dated(now), /2025/);
});

test("a zone that is none gives way to the feed's, and `local` to the browser's own", () => {
	const usual = 'Asia/Tokyo';
	const tokyo = timesFor('en', usual).dated(now);
	assert.equal(timesFor('en', 'Europe/Kyif', usual).dated(now), tokyo);
	assert.equal(timesFor('en', '', usual).dated(now), tokyo);
	assert.equal(timesFor('en', null, usual).dated(now), tokyo);
	assert.equal(timesFor('en', 'Europe/Kyiv', usual).dated(now), kyiv.dated(now));
	assert.equal(timesFor('en', 'local', usual).dated(now), timesFor('en').dated(now));
});
