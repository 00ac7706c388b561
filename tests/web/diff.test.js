/** The word diff behind "what changed". */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wordDiff } from '../../web/src/feed/diff.js';

const sides = (runs) =>
	[-1, 1].map((side) =>
		runs
			.filter(({ kind }) => kind === 0 || kind === side)
			.map(({ text }) => text)
			.join(''),
	);

test('one changed number is one word out and one word in', () => {
	assert.deepEqual(wordDiff('kills 9, injures 4 people', 'kills 9, injures 7 people'), [
		{ kind: 0, text: 'kills 9, injures' },
		{ kind: -1, text: ' 4' },
		{ kind: 1, text: ' 7' },
		{ kind: 0, text: ' people' },
	]);
});

test('equal texts have nothing but what is kept, empty ones nothing at all', () => {
	assert.deepEqual(wordDiff('a b', 'a b'), [{ kind: 0, text: 'a b' }]);
	assert.deepEqual(wordDiff('', ''), []);
	assert.deepEqual(wordDiff('', 'a b'), [{ kind: 1, text: 'a b' }]);
	assert.deepEqual(wordDiff('a b', ''), [{ kind: -1, text: 'a b' }]);
});

test('both texts can be read back out of the runs', () => {
	for (let seed = 1; seed < 300; seed++) {
		const words = (salt) =>
			Array.from({ length: (seed * salt) % 12 }, (_, i) => 'abc'[(i * salt + seed) % 3]).join(' ');
		const [before, after] = [words(7), words(5)];
		assert.deepEqual(sides(wordDiff(before, after)), [before, after]);
	}
});

test('a change at the end of one line and one at the start of the next are two', () => {
	assert.deepEqual(wordDiff('injures 4\nFour were', 'injures 7\nSeven were'), [
		{ kind: 0, text: 'injures' },
		{ kind: -1, text: ' 4' },
		{ kind: 1, text: ' 7' },
		{ kind: 0, text: '\n' },
		{ kind: -1, text: 'Four' },
		{ kind: 1, text: 'Seven' },
		{ kind: 0, text: ' were' },
	]);
});

test('texts too long to compare are shown whole, old and new', () => {
	const before = 'old '.repeat(2000).trim();
	const after = 'new '.repeat(2000).trim();
	assert.deepEqual(wordDiff(before, after), [
		{ kind: -1, text: before },
		{ kind: 1, text: after },
	]);
});

test('where words have no spaces between them, characters are compared', () => {
	assert.deepEqual(wordDiff('首相、東京で会見', '首相、大阪で会見'), [
		{ kind: 0, text: '首相、' },
		{ kind: -1, text: '東京' },
		{ kind: 1, text: '大阪' },
		{ kind: 0, text: 'で会見' },
	]);
	assert.deepEqual(wordDiff('บาดเจ็บ 4 คน', 'บาดเจ็บ 7 คน'), [
		{ kind: 0, text: 'บาดเจ็บ' },
		{ kind: -1, text: ' 4' },
		{ kind: 1, text: ' 7' },
		{ kind: 0, text: ' คน' },
	]);
	assert.deepEqual(wordDiff('서울에서 네 명', '서울에서 일곱 명')[1], { kind: -1, text: ' 네' });
	// A vowel sign stays with its consonant.
	assert.deepEqual(wordDiff('กิ', 'กี'), [
		{ kind: -1, text: 'กิ' },
		{ kind: 1, text: 'กี' },
	]);
});

test('of long texts with a small change, only the change is shown', () => {
	const long = 'word '.repeat(3000);
	assert.deepEqual(wordDiff(`${long}4 people ${long}.`, `${long}7 people ${long}.`)[1], {
		kind: -1,
		text: ' 4',
	});
});
