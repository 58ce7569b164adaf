//! From words to token ids, through the `tokenizer.json` beside a model.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde_json::Value;
use tokenizers::{PaddingParams, PaddingStrategy, Tokenizer, TruncationParams};

use super::tokens::Encoded;
use crate::error::MlError;
use crate::folders::{BESIDE_BYTES_MAX, Folders, ModelFile, read};
use crate::model::ModelKind;

/// Bytes of a text that are looked at; models see some 50 words of it.
const TEXT_BYTES_MAX: usize = 8_192;
/// Tokens that a model may take.
const CONTEXT_MAX: usize = 1_024;
/// Tokens that the models of `OpenAI` take.
const CONTEXT: usize = 77;

/// Vocabularies that were read. One takes 10 to 60 MB, and goes when the model does that keeps it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Texts {
    known: Arc<Mutex<HashMap<ModelFile, Weak<Encoder>>>>,
}

impl Texts {
    /// The vocabulary of a model.
    pub(super) fn encoder(&self, folders: &Folders, model: &str) -> Result<Arc<Encoder>, MlError> {
        let file = folders.file(ModelKind::Clip, model, "textual/tokenizer.json")?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(encoder) = known.get(&file).and_then(Weak::upgrade) {
            return Ok(encoder);
        }
        let folder = folders.find(ModelKind::Clip, model)?;
        let encoder = Arc::new(Encoder::open(&folder)?);
        known.retain(|_, encoder| encoder.strong_count() > 0);
        known.insert(file, Arc::downgrade(&encoder));
        Ok(encoder)
    }
}

/// A model's vocabulary, and how it wants texts.
#[derive(Debug)]
pub(super) struct Encoder {
    tokenizer: Tokenizer,
    /// Without punctuation and capitals, as `SigLIP` was trained.
    is_canonical: bool,
}

impl Encoder {
    fn open(folder: &Path) -> Result<Self, MlError> {
        let path = folder.join("textual/tokenizer.json");
        let refuse = |reason: &dyn ToString| MlError::BadModel {
            path: path.clone(),
            reason: reason.to_string(),
        };
        let bytes = read(&path, BESIDE_BYTES_MAX)?;
        let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|error| refuse(&error))?;

        let config = settings(&folder.join("config.json"))?;
        let length = config.pointer("/text_cfg/context_length").and_then(Value::as_u64);
        let length = length.map_or(CONTEXT, |it| usize::try_from(it).unwrap_or(usize::MAX));
        if !(1..=CONTEXT_MAX).contains(&length) {
            return Err(refuse(&format!("a context of {length} tokens is not within 1 to 1024")));
        }
        let clean = config.pointer("/text_cfg/tokenizer_kwargs/clean").and_then(Value::as_str);

        let (pad_id, pad_token) = padding(&tokenizer, &folder.join("textual"));
        tokenizer
            .with_truncation(Some(TruncationParams { max_length: length, ..Default::default() }))
            .map_err(|error| refuse(&error))?;
        tokenizer.with_padding(Some(PaddingParams {
            strategy: PaddingStrategy::Fixed(length),
            pad_id,
            pad_token,
            ..Default::default()
        }));
        Ok(Self { tokenizer, is_canonical: clean == Some("canonicalize") })
    }

    /// A text as ids.
    pub(super) fn encode(
        &self,
        model: &str,
        text: &str,
        language: Option<&str>,
    ) -> Result<Encoded, MlError> {
        let mut text = clean(shortened(text), self.is_canonical);
        if let Some(code) = language.filter(|_| model.starts_with("nllb")).and_then(flores) {
            text.insert_str(0, code);
        }
        let encoded = self.tokenizer.encode(text, true).map_err(|error| MlError::Failed {
            model: model.to_owned(),
            reason: error.to_string(),
        })?;
        let wide = |values: &[u32]| values.iter().map(|it| i64::from(*it)).collect();
        Ok(Encoded { ids: wide(encoded.get_ids()), mask: wide(encoded.get_attention_mask()) })
    }
}

/// What fills texts up: what the settings beside the vocabulary name, what the vocabulary names itself, or 0.
fn padding(tokenizer: &Tokenizer, folder: &Path) -> (u32, String) {
    let config = settings(&folder.join("tokenizer_config.json")).unwrap_or_default();
    let named = match config.get("pad_token") {
        Some(Value::String(token)) => Some(token.clone()),
        Some(Value::Object(token)) => {
            token.get("content").and_then(Value::as_str).map(str::to_owned)
        }
        _ => None,
    };
    let by_config = named.and_then(|token| Some((tokenizer.token_to_id(&token)?, token)));
    by_config
        .or_else(|| tokenizer.get_padding().map(|it| (it.pad_id, it.pad_token.clone())))
        .unwrap_or_default()
}

fn settings(path: &Path) -> Result<Value, MlError> {
    serde_json::from_slice(&read(path, BESIDE_BYTES_MAX)?)
        .map_err(|error| MlError::BadModel { path: path.to_owned(), reason: error.to_string() })
}

/// The beginning of a text.
fn shortened(text: &str) -> &str {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// One space between words; without punctuation and capitals where the model was trained so (`open_clip`'s
/// `canonicalize_text`).
fn clean(text: &str, is_canonical: bool) -> String {
    let text = if is_canonical {
        let plain = text.replace('_', " ");
        plain.chars().filter(|it| !it.is_ascii_punctuation()).collect::<String>().to_lowercase()
    } else {
        text.to_owned()
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The code of a language in FLORES-200, which NLLB's vocabulary begins texts with. Its first part, `de` of
/// `de-AT`, decides, but for Chinese.
fn flores(language: &str) -> Option<&'static str> {
    let is_traditional = ["zh-TW", "zh-HK", "zh-Hant"].iter().any(|it| language.starts_with(it));
    if is_traditional {
        return Some("zho_Hant");
    }
    let short = language.split(['-', '_']).next().unwrap_or_default();
    let at = FLORES.binary_search_by_key(&short, |(code, _)| code).ok()?;
    FLORES.get(at).map(|(_, flores)| *flores)
}

/// Languages of web clients, sorted.
const FLORES: [(&str, &str); 52] = [
    ("af", "afr_Latn"),
    ("ar", "arb_Arab"),
    ("az", "azj_Latn"),
    ("be", "bel_Cyrl"),
    ("bg", "bul_Cyrl"),
    ("bn", "ben_Beng"),
    ("ca", "cat_Latn"),
    ("cs", "ces_Latn"),
    ("da", "dan_Latn"),
    ("de", "deu_Latn"),
    ("el", "ell_Grek"),
    ("en", "eng_Latn"),
    ("es", "spa_Latn"),
    ("et", "est_Latn"),
    ("eu", "eus_Latn"),
    ("fa", "pes_Arab"),
    ("fi", "fin_Latn"),
    ("fr", "fra_Latn"),
    ("gl", "glg_Latn"),
    ("he", "heb_Hebr"),
    ("hi", "hin_Deva"),
    ("hr", "hrv_Latn"),
    ("hu", "hun_Latn"),
    ("hy", "hye_Armn"),
    ("id", "ind_Latn"),
    ("is", "isl_Latn"),
    ("it", "ita_Latn"),
    ("ja", "jpn_Jpan"),
    ("ka", "kat_Geor"),
    ("kk", "kaz_Cyrl"),
    ("ko", "kor_Hang"),
    ("lt", "lit_Latn"),
    ("lv", "lvs_Latn"),
    ("mk", "mkd_Cyrl"),
    ("ms", "zsm_Latn"),
    ("nb", "nob_Latn"),
    ("nl", "nld_Latn"),
    ("pl", "pol_Latn"),
    ("pt", "por_Latn"),
    ("ro", "ron_Latn"),
    ("ru", "rus_Cyrl"),
    ("sk", "slk_Latn"),
    ("sl", "slv_Latn"),
    ("sr", "srp_Cyrl"),
    ("sv", "swe_Latn"),
    ("ta", "tam_Taml"),
    ("te", "tel_Telu"),
    ("th", "tha_Thai"),
    ("tr", "tur_Latn"),
    ("uk", "ukr_Cyrl"),
    ("vi", "vie_Latn"),
    ("zh", "zho_Hans"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_sorted_and_found() {
        assert!(FLORES.is_sorted());
        for (language, code) in [
            ("de-AT", Some("deu_Latn")),
            ("zh_CN", Some("zho_Hans")),
            ("zh-TW", Some("zho_Hant")),
            ("tlh", None),
            ("", None),
        ] {
            assert_eq!(flores(language), code, "{language}");
        }
    }

    #[test]
    fn texts_are_cleaned_as_the_model_was_trained() {
        assert_eq!(clean("  a\n Red_Car! ", false), "a Red_Car!");
        assert_eq!(clean("  a\n Red_Car! ", true), "a red car");
        assert_eq!(clean("", true), "");
    }

    #[test]
    fn long_texts_end_between_letters() {
        let text = "ä".repeat(TEXT_BYTES_MAX);
        assert_eq!(shortened(&text).len(), TEXT_BYTES_MAX);
        let odd = format!("a{text}");
        assert_eq!(shortened(&odd).len(), TEXT_BYTES_MAX - 1);
    }
}
