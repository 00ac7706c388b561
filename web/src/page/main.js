/** The script of our own pages: makes what the server has rendered live. Nothing here is needed to read them. */
import { startPage } from './page.js';

const list = document.getElementById('list');
if (list) startPage(list);
