import type { Download } from "./download";
import type { Change } from "./hooks";
import type { Stack, View } from "./view";

// Common is what panels share: the view, what changes it, and what saves a file.
export interface Common {
  view: View;
  change: Change;
  download: Download;
}

// needsKey reports whether a group is still to be told the key of the metadata.
export const needsKey = (view: View, group: Stack): boolean => group === "metadata" && !view.key;
