import { render } from "preact";

import { App } from "./app";
import { Client } from "./client";
import { Tokens } from "./tokens";

import "uplot/dist/uPlot.min.css";
import "./page.css";

// The service writes the origins that may embed the page into it.
const embedders = document.querySelector<HTMLMetaElement>("meta[name=embed-origins]")!.content.split(" ").filter(Boolean);
const tokens = new Tokens(embedders);
const place = document.getElementById("app")!;
place.replaceChildren();
render(<App tokens={tokens} client={new Client(tokens)} />, place);
