// The way in: the first account on a new server, and logging in ever after.

import * as api from "./api.js";
import { byId } from "./dom.js";

const WORDS = {
  signUp: { lead: "Make the first account. It looks after this server.", submit: "Create account", password: "new-password" },
  logIn: { lead: "Log in to see your photos.", submit: "Log in", password: "current-password" },
};

export class Gate {
  /** `onEntered` is called once the session cookies are set; `lead` stands in place of the line above the log-in. */
  constructor(onEntered, lead = WORDS.logIn.lead) {
    this.lead = lead;
    this.form = byId("gate-form");
    this.mode = "logIn";
    this.form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (!(await this.submit())) return;
      await onEntered().catch((error) => { byId("gate-error").textContent = error.message; });
    });
  }

  show(mode, message = "") {
    this.mode = mode;
    const words = WORDS[mode];
    byId("gate-lead").textContent = mode === "logIn" ? this.lead : words.lead;
    byId("gate-submit").textContent = words.submit;
    byId("gate-message").textContent = message;
    byId("gate-error").textContent = "";
    byId("gate-name").hidden = mode !== "signUp";
    this.form.elements.password.autocomplete = words.password;
    byId("gate").hidden = false;
    const first = mode === "signUp" ? this.form.elements.name : this.form.elements.email;
    if (matchMedia("(hover: hover)").matches) first.focus();
  }

  hide() {
    byId("gate").hidden = true;
    this.form.reset();
  }

  async submit() {
    const { name, email, password } = this.form.elements;
    const missing = [this.mode === "signUp" ? name : null, email, password].find((input) => input && !input.value.trim());
    if (missing) {
      this.refuse(`Please give ${{ name: "a name", email: "an e-mail address", password: "a password" }[missing.name]}.`, missing);
      return false;
    }
    const button = byId("gate-submit");
    button.disabled = true;
    byId("gate-error").textContent = "";
    try {
      if (this.mode === "signUp") await api.signUp(email.value.trim(), password.value, name.value.trim());
      // The account exists from here on, whatever becomes of the log-in.
      if (this.mode === "signUp") this.mode = "logIn";
      await api.logIn(email.value.trim(), password.value);
      return true;
    } catch (error) {
      this.refuse(error.message, this.mode === "logIn" ? password : email);
      return false;
    } finally {
      button.disabled = false;
    }
  }

  refuse(message, input) {
    byId("gate-error").textContent = message;
    input.focus();
    input.select();
  }
}
