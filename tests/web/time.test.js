/** Times as readers see them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timesFor } from '../../web/src/time.js';

const at = (text) => Date.parse(text);
const now = at('2025-05-17T10:20:00Z');
const kyiv = timesFor('en', 'Europe/Kyiv');

test('relative times count from the server and never reach into the future', () => {
	const label = (text) => kyiv.label(at(text), now, 'relative');
	assert.equal(label('2025-05-17T10:19:30Z'), 'now');
	assert.equal(label('2025-05-17T10:15:00Z'), '5 min. ago');
	assert.equal(label('2025-05-17T07:13:00Z'), '3 hr. ago');
	assert.equal(label('2025-05-17T13:20:00Z'), 'now');
});

test('under its day a time is the time of day, in the zone asked for', () => {
	assert.equal(kyiv.label(at('2025-05-17T07:13:00Z'), now, 'absolute'), '10:13');
	assert.equal(timesFor('en', 'UTC').label(at('2025-05-17T07:13:00Z'), now, 'absolute'), '07:13');
	assert.equal(kyiv.label(at('2025-05-17T07:13:00Z'), now, 'both'), '10:13 · 3 hr. ago');
});

test('a time without its day above carries date and zone, unless it is of today', () => {
	assert.equal(kyiv.label(at('2025-05-17T07:13:00Z'), now, 'absolute', true), '10:13');
	assert.equal(
		kyiv.label(at('2025-05-15T07:13:00Z'), now, 'both', true),
		'May 15, 2025 at 10:13 GMT+3',
	);
});

test('after a day a relative time gives way to the absolute one', () => {
	assert.equal(kyiv.label(at('2025-05-16T07:13:00Z'), now, 'relative'), '10:13');
});

test('the day is that of the zone', () => {
	assert.equal(kyiv.day(at('2025-05-16T22:30:00Z')), 'Saturday, May 17, 2025');
	assert.equal(timesFor('en', 'UTC').day(at('2025-05-16T22:30:00Z')), 'Friday, May 16, 2025');
	assert.equal(
		timesFor('uk', 'UTC').day(at('2025-05-16T22:30:00Z')),
		'пʼятниця, 16 травня 2025 р.',
	);
});

test('an unknown zone does not stop the page', () => {
	assert.match(timesFor('en', 'Mars/Olympus').full(now), /2025/);
});
