/** The words of the ticker in its languages. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import en from '../../web/strings/en.js';
import { plural, strings, wordsFor } from '../../web/strings/index.js';

const folder = new URL('../../web/strings/', import.meta.url);
const languages = readdirSync(folder)
	.filter((name) => name.endsWith('.json'))
	.map((name) => [name.slice(0, -5), JSON.parse(readFileSync(new URL(name, folder), 'utf8'))]);

test('five languages travel beside the script, none with a word too few or too many', () => {
	assert.deepEqual(languages.map(([name]) => name).sort(), ['ar', 'de', 'es', 'fr', 'uk']);
	const needed = Object.keys(en)
		.filter((key) => key !== 'language' && key !== 'dir')
		.sort();
	for (const [name, words] of languages) {
		const { dir, ...rest } = words;
		assert.deepEqual(Object.keys(rest).sort(), needed, name);
		assert.equal(dir, name === 'ar' ? 'rtl' : undefined);
	}
});

test('every language keeps the places for number and time', () => {
	for (const [name, words] of languages) {
		for (const key of ['updated', 'stale']) assert.match(words[key], /\{t\}/, name);
		for (const form of words.updates.split('|')) assert.match(form, /\{n\}/, name);
	}
});

test('the words of a page, as the docs show them, leave none out', () => {
	const docs = readFileSync(new URL('../../docs/embedding.md', import.meta.url), 'utf8');
	const [, example] = /strings\.pl = \{\n(.*?)\n\t\};/s.exec(docs);
	const keys = [...example.matchAll(/^\t\t(\w+): '/gm)].map(([, key]) => key);
	assert.deepEqual(
		keys,
		Object.keys(en).filter((key) => key !== 'language' && key !== 'dir'),
	);
});

test('numbers follow the rules of their language', () => {
	const uk = languages.find(([name]) => name === 'uk')[1].updates;
	assert.equal(plural(en.updates, 1, 'en'), '1 new update');
	assert.equal(plural(en.updates, 3, 'en'), '3 new updates');
	assert.equal(plural(uk, 21, 'uk'), '21 нове повідомлення');
	assert.equal(plural(uk, 3, 'uk'), '3 нові повідомлення');
	assert.equal(plural(uk, 11, 'uk'), '11 нових повідомлень');
});

test('a page brings its own words, and English fills what they lack', () => {
	strings.pl = { pause: 'Wstrzymaj' };
	const words = wordsFor('pl-PL', '', () => {});
	assert.equal(words.pause, 'Wstrzymaj');
	assert.equal(words.resume, 'Resume');
	assert.equal(words.language, 'pl-PL');
	assert.equal(wordsFor('xx', '', () => {}).language, 'en');
});

test('a shipped language is fetched once, and English stands in when it cannot be', async (t) => {
	const asked = [];
	t.mock.method(globalThis, 'fetch', async (url) => {
		asked.push(url);
		if (url.includes('/de')) throw new TypeError('blocked');
		return { json: async () => ({ pause: 'Призупинити' }) };
	});
	for (const [tag, expected] of [
		['uk', 'Призупинити'],
		['de-AT', 'Pause'],
	]) {
		const ask = () =>
			new Promise((ready) => {
				assert.equal(wordsFor(tag, 'https://news.example', ready), undefined);
			});
		await Promise.all([ask(), ask()]); // every ticker of a page is told
		assert.equal(wordsFor(tag, 'https://news.example', () => {}).pause, expected);
	}
	assert.deepEqual(asked, [
		'https://news.example/ticker-strings/uk.json',
		'https://news.example/ticker-strings/de.json',
	]);
});
