/** The words of bodies, also of those that only later servers send. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isParagraphs, isSpans, linesOf } from '../../web/src/feed/blocks.js';

const bold = { text: 'bold', strong: true };
const link = { text: 'a link', href: 'https://example.org/' };

test('a paragraph is one line', () => {
	assert.deepEqual(linesOf(['Plain ', bold, ' and ', link, '.']), ['Plain bold and a link.']);
	assert.deepEqual(linesOf(['One.\nTwo.']), ['One.\nTwo.']);
});

test('a list is a line for each entry, a quote one for each paragraph and one for who said it', () => {
	const list = { list: [['first ', bold], ['second']], ordered: true };
	assert.deepEqual(linesOf(list), ['first bold', 'second']);
	const quote = { quote: [['What was said.'], [bold]], cite: 'Who said it' };
	assert.deepEqual(linesOf(quote), ['What was said.', 'bold', 'Who said it']);
});

test('a block of an unknown kind is its words, a line each', () => {
	const table = {
		table: [
			['a', 'b'],
			['c', bold],
			[[link], 'd'],
		],
	};
	assert.deepEqual(linesOf(table), ['a', 'b', 'cbold', 'a link', 'd']);
	const aside = { aside: { title: 'Note', body: [['He said ', bold, '.']] }, level: 2, open: true };
	assert.deepEqual(linesOf(aside), ['Note', 'He said bold.']);
});

test('where there are no words there are no lines', () => {
	for (const block of [null, undefined, 5, true, [], {}, [[]], { list: [] }, { text: 5 }])
		assert.deepEqual(linesOf(block), [], JSON.stringify(block));
});

test('a whole body has the lines of its blocks', () => {
	assert.deepEqual(linesOf([['One.'], { list: [['two'], ['three']] }, ['Four.']]), [
		'One.',
		'two',
		'three',
		'Four.',
	]);
	assert.deepEqual(linesOf([['One.'], ['Two.']]), ['One.', 'Two.']);
	assert.deepEqual(linesOf(undefined), []);
});

test('only what can be rendered as spans passes for spans', () => {
	for (const spans of [[], ['a'], [bold, 'a', link]]) assert.ok(isSpans(spans));
	for (const other of [null, 'a', {}, [null], [5], [['a']], [{ text: null }], [{ list: [] }]])
		assert.equal(isSpans(other), false, JSON.stringify(other));
	assert.ok(isParagraphs([['a'], [bold]]));
	for (const other of [null, ['a'], [[['a']]], [null]]) assert.equal(isParagraphs(other), false);
});
