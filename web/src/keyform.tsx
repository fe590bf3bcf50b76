import type { Common } from "./common";

// KeyForm takes the path of metadata by which users are grouped.
export function KeyForm({ view, change }: Common) {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    change({ key: String(new FormData(event.currentTarget as HTMLFormElement).get("key")).trim() });
  };
  return (
    <form class="key" onSubmit={submit}>
      <label>
        <span>Key of the metadata</span>
        <input name="key" required defaultValue={view.key} key={view.key} placeholder="department, address.country" />
      </label>
      <button class="primary">Group</button>
    </form>
  );
}
