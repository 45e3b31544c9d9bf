// A code that came behind `#` was sent to nobody: it goes into the form, and out of the address and the history.

const code = new URLSearchParams(location.hash.slice(1)).get("code");
if (code) {
  document.getElementById("code").value = code;
  history.replaceState(null, "", location.pathname + location.search);
}
document.getElementById(code ? "name" : "code").focus();
