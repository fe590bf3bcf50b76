import { useRef } from "preact/hooks";

import type { Client } from "./client";
import { Controls } from "./controls";
import { fileName, save } from "./csv";
import type { Download } from "./download";
import type { FigureName } from "./figures";
import { Footer, Header } from "./header";
import { useTokens, useView } from "./hooks";
import { KnowledgeSection } from "./knowledge";
import { MessagesSection } from "./messages";
import { Notice, SignIn } from "./notice";
import { PlotPanel } from "./plotpanel";
import { useAnswers, useBeginWith, useQuestions, worst } from "./questioning";
import { asCSV, isWholeOrganization } from "./questions";
import { useRetry, useRounds } from "./rounds";
import { TablePanel } from "./tablepanel";
import { callerOf, type Tokens } from "./tokens";
import { windowOf, withFigure } from "./view";

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
  const isFailing = useRef(false);
  const rounds = useRounds(view.live && canAsk, isFailing);
  const { now, begin, retry } = rounds;
  const questions = useQuestions(view, { isAdmin, now }, canAsk);
  const { stats, series, stack, table, knowledge } = useAnswers(client, questions, view, rounds);
  const failure = worst([stats, series, stack, table, knowledge]);
  isFailing.current = failure !== undefined;
  const due = useRetry(failure, retry);
  useBeginWith(token, begin);

  const w = windowOf(view, now);
  const download: Download = async (name, what) =>
    save(await client.download(asCSV(questions[name]!)), fileName(what, w, view.timeZone));
  const common = { view, change, download };
  const onSelect = (figure: FigureName): void => change(withFigure(view, figure));
  const tiles = { stats: stats.answer, buckets: series.answer?.buckets, selected: view.figure, onSelect };
  const needsToken = !canAsk || failure?.status === 401;
  return (
    <>
      <Header tokens={tokens} view={view} change={change} at={stats.at} refresh={begin} />
      <main>
        <h1 class="hidden">Orgstats dashboard</h1>
        {canAsk && <Controls view={view} now={now} isAdmin={isAdmin} change={change} />}
        {needsToken && <SignIn tokens={tokens} failure={failure} />}
        {failure && !needsToken && (
          <Notice failure={failure} due={due} isShown={stats.answer !== undefined} retry={retry}
            showOwn={() => change({ scope: "own" })} />
        )}
        {canAsk && (
          <>
            <MessagesSection {...common} stats={stats} isWhole={isWholeOrganization(view, isAdmin)} window={w} tiles={tiles} />
            <PlotPanel {...common} window={w} series={series} stack={stack} />
            <TablePanel {...common} loaded={table} />
            <KnowledgeSection {...common} loaded={knowledge} tiles={tiles} />
          </>
        )}
      </main>
      <Footer />
    </>
  );
}
