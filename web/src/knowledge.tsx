import type { BreakdownAnswer } from "./answers";
import { Breakdown } from "./breakdown";
import type { Common } from "./common";
import { DownloadButton } from "./download";
import { knowledgeFigures } from "./figures";
import type { Loaded } from "./rounds";
import { Tiles, type TileProps } from "./tiles";

// KnowledgeSection shows the figures of knowledge bases, which are the whole organization's for everybody.
export function KnowledgeSection(props: Common & { loaded: Loaded<BreakdownAnswer>; tiles: TileProps }) {
  const { view, change, download, loaded, tiles } = props;
  return (
    <section aria-labelledby="knowledge-title" aria-busy={loaded.isLoading}>
      <div class="section-head">
        <h2 id="knowledge-title">Knowledge bases</h2>
        <p><strong class="badge">Whole organization</strong> Filters do not apply to these figures.</p>
        <div class="actions"><DownloadButton download={download} what="knowledge bases" question="knowledge" /></div>
      </div>
      <Tiles names={knowledgeFigures} {...tiles} />
      <div class="panel">
        <Breakdown caption="Files by knowledge base" names={knowledgeFigures} group="knowledgeBase" metadataKey=""
          sorting={view.knowledge} loaded={loaded} onSort={(knowledge) => change({ knowledge })} />
      </div>
    </section>
  );
}
