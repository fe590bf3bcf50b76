import { useEffect, useMemo, useRef } from "preact/hooks";

import type { BreakdownAnswer, SeriesAnswer, StatsAnswer } from "./answers";
import { Breakdown } from "./breakdown";
import type { Client } from "./client";
import { Controls } from "./controls";
import { fileName, save } from "./csv";
import { DownloadButton, type Download, type QuestionName } from "./download";
import type { Failure } from "./failure";
import { knowledgeFigures, messageFigures, type FigureName } from "./figures";
import { number, span } from "./format";
import { Header } from "./header";
import { useAnswer, useRetry, useRounds, useTokens, useView, type Loaded } from "./hooks";
import { Notice, SignIn } from "./notice";
import { PlotPanel, TablePanel } from "./panels";
import { asCSV, isWholeOrganization, seriesQuestion, stackQuestion, statsQuestion, tableQuestion } from "./questions";
import { Tiles } from "./tiles";
import { callerOf, type Tokens } from "./tokens";
import { stacksOf, windowOf, type View } from "./view";

interface Props {
  tokens: Tokens;
  client: Client;
}

// App is the page. Nothing that it has shown to one caller is left for another.
export function App(props: Props) {
  const token = useTokens(props.tokens);
  return <Dashboard key={callerOf(props.tokens)} {...props} token={token} />;
}

// Dashboard asks the questions of the view, and shows their answers.
function Dashboard({ tokens, client, token }: Props & { token: number }) {
  const [view, change] = useView();
  const { isAdmin } = tokens.claims;
  const canAsk = tokens.token !== undefined || tokens.isEmbedded;
  const rounds = useRounds(view.live && canAsk);
  const { now, begin, retry } = rounds;
  const questions = useQuestions(view, { isAdmin, now }, canAsk);
  const stats = useAnswer<StatsAnswer>(client, questions.stats, view, rounds);
  const series = useAnswer<SeriesAnswer>(client, questions.series, view, rounds);
  const stack = useAnswer<BreakdownAnswer>(client, questions.stack, view, rounds);
  const table = useAnswer<BreakdownAnswer>(client, questions.table, view, rounds);
  const knowledge = useAnswer<BreakdownAnswer>(client, questions.knowledge, view, rounds);
  const failure = worst([stats, series, stack, table, knowledge]);
  const due = useRetry(failure, retry);
  const askedWith = useRef(token);
  useEffect(() => {
    if (token !== askedWith.current) {
      askedWith.current = token;
      begin();
    }
  }, [token, begin]);

  const w = windowOf(view, now);
  const download: Download = async (name, what) =>
    save(await client.download(asCSV(questions[name]!)), fileName(what, w, view.timeZone));
  const common = { view, change, download };
  const select = (figure: FigureName): void =>
    change({ figure, stack: stacksOf(figure).includes(view.stack) ? view.stack : "none" });
  const tiles = { stats: stats.answer, buckets: series.answer?.buckets, selected: view.figure, onSelect: select };
  const isShown = stats.answer !== undefined;
  return (
    <>
      <Header tokens={tokens} view={view} change={change} at={stats.at} refresh={begin} />
      <main>
        <h1 class="hidden">Orgstats dashboard</h1>
        <Controls view={view} now={now} isAdmin={isAdmin} change={change} />
        {!canAsk || failure?.status === 401
          ? <SignIn tokens={tokens} failure={failure} />
          : failure && <Notice failure={failure} due={due} isShown={isShown} retry={retry} showOwn={() => change({ scope: "own" })} />}
        {(canAsk || isShown) && (
          <>
            <section aria-labelledby="messages-title" aria-busy={stats.isLoading}>
              <div class="section-head">
                <h2 id="messages-title">{isWholeOrganization(view, isAdmin) ? "Messages of the organization" : "My messages"}</h2>
                <Summary view={view} stats={stats.answer} from={w.from} to={w.to} />
                <div class="actions"><DownloadButton download={download} what="figures" question="stats" /></div>
              </div>
              <Tiles names={messageFigures} {...tiles} />
              {stats.answer && isEmpty(stats.answer) && <Empty view={view} change={() => change({ window: "12m", filter: {} })} />}
            </section>
            <PlotPanel {...common} series={series} stack={stack} />
            <TablePanel {...common} loaded={table} />
            <section aria-labelledby="knowledge-title" aria-busy={knowledge.isLoading}>
              <div class="section-head">
                <h2 id="knowledge-title">Knowledge bases</h2>
                <p><strong class="badge">Whole organization</strong> Filters do not apply to these figures.</p>
                <div class="actions"><DownloadButton download={download} what="knowledge bases" question="knowledge" /></div>
              </div>
              <Tiles names={knowledgeFigures} {...tiles} />
              <div class="panel">
                <Breakdown caption="Files by knowledge base" names={knowledgeFigures} group="knowledgeBase" metadataKey=""
                  sorting={view.knowledge} loaded={knowledge} onSort={(sorting) => change({ knowledge: sorting })} onFilter={() => {}} />
              </div>
            </section>
          </>
        )}
      </main>
      <Announcement stats={stats} />
      <Footer />
    </>
  );
}

function useQuestions(view: View, scope: { isAdmin: boolean; now: number }, canAsk: boolean): Partial<Record<QuestionName, string | undefined>> {
  return useMemo(() => (canAsk
    ? {
      stats: statsQuestion(view, scope), series: seriesQuestion(view, scope), stack: stackQuestion(view, scope),
      table: tableQuestion(view, scope, view.by), knowledge: tableQuestion(view, scope, "knowledgeBase"),
    }
    : {}), [view, scope.isAdmin, scope.now, canAsk]);
}

// worst returns the failure to show: one that the caller can do something about, before others.
function worst(all: Loaded<unknown>[]): Failure | undefined {
  const failures = all.flatMap(({ failure }) => failure ?? []);
  return failures.find(({ status }) => status === 401) ?? failures.find(({ status }) => status === 403) ?? failures[0];
}

const isEmpty = (stats: StatsAnswer): boolean => messageFigures.every((name) => stats[name] === 0);

function Empty({ view, change }: { view: View; change: () => void }) {
  const isFiltered = Object.keys(view.filter).length > 0;
  return (
    <p class="empty">
      There are no messages in this window{isFiltered && " that pass the filters"}.{" "}
      {(isFiltered || view.window !== "12m") && <button onClick={change}>Show 12 months{isFiltered && " without filters"}</button>}
    </p>
  );
}

function Summary({ view, stats, from, to }: { view: View; stats: StatsAnswer | undefined; from: number; to: number }) {
  const before = stats?.previous;
  return (
    <p>
      {span(from, to, view.timeZone)}
      {before && <span class="quiet">, compared with {span(Date.parse(before.from), Date.parse(before.to), view.timeZone)}</span>}
    </p>
  );
}

// Announcement reads aloud what a change of the view led to, and no live refresh.
function Announcement({ stats }: { stats: Loaded<StatsAnswer> }) {
  const text = useMemo(() => (stats.answer
    ? `${number(stats.answer.messageCount)} messages, ${number(stats.answer.conversationCount)} conversations.`
    : ""), [stats.asked]);
  return <p class="hidden" role="status">{text}</p>;
}

const Footer = () => (
  <footer>
    <p>
      In CSV, a cell that begins with =, +, - or @ has an apostrophe before it, so that no spreadsheet takes it for a formula.
      Distinct counts do not add up over time or groups.
    </p>
    <p><a href="docs">The HTTP interface</a> · <a href="assets/licenses.txt">Licenses</a></p>
  </footer>
);
