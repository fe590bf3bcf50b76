// All tests in a browser, one after the other in one browser. The engine is killed at the end.
import "./accessible.mjs";
import "./views.mjs";
import "./embedded.mjs";
import "./troubles.mjs";
