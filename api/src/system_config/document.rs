//! The shape of the configuration in the API's document, made from the table of settings.

use std::borrow::Cow;

use calotype_domain::config::SETTINGS;
use calotype_domain::config::shape::{Group, Kind};
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The whole configuration.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct SystemConfigDto(pub(crate) Value);

type Schemas = Vec<(String, RefOr<Schema>)>;

impl PartialSchema for SystemConfigDto {
    fn schema() -> RefOr<Schema> {
        group(&SETTINGS)
    }
}

impl ToSchema for SystemConfigDto {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed(SETTINGS.schema)
    }

    fn schemas(schemas: &mut Schemas) {
        parts(&SETTINGS, schemas);
    }
}

/// The groups and lists of words inside a group.
fn parts(of: &'static Group, schemas: &mut Schemas) {
    for field in of.fields {
        match &field.kind {
            Kind::Group(inner) => {
                schemas.push((inner.schema.to_owned(), group(inner)));
                parts(inner, schemas);
            }
            Kind::Word(words, _) | Kind::Words(words, _) => {
                let schema = ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some(words.all.iter().copied()))
                    .build();
                schemas.push((words.schema.to_owned(), RefOr::T(schema.into())));
            }
            Kind::Numbers(numbers, _) => {
                let schema = ObjectBuilder::new()
                    .schema_type(Type::Integer)
                    .enum_values(Some(numbers.all.iter().copied()))
                    .build();
                schemas.push((numbers.schema.to_owned(), RefOr::T(schema.into())));
            }
            _ => {}
        }
    }
}

fn group(of: &'static Group) -> RefOr<Schema> {
    let mut object = ObjectBuilder::new().schema_type(Type::Object);
    for field in of.fields {
        object = object.property(field.name, kind(&field.kind));
        if field.is_required {
            object = object.required(field.name);
        }
    }
    RefOr::T(object.build().into())
}

pub(crate) fn kind(of: &'static Kind) -> RefOr<Schema> {
    let plain = |kind: Type| ObjectBuilder::new().schema_type(kind);
    let named = |schema: &str| RefOr::Ref(Ref::from_schema_name(schema));
    let list = |items: RefOr<Schema>| ArrayBuilder::new().items(items);
    let object = match of {
        Kind::Group(group) => return named(group.schema),
        Kind::Word(words, _) => return named(words.schema),
        Kind::Words(words, _) => return RefOr::T(list(named(words.schema)).build().into()),
        Kind::Numbers(numbers, _) => return RefOr::T(list(named(numbers.schema)).build().into()),
        Kind::Texts(_) => {
            let texts = RefOr::T(plain(Type::String).build().into());
            return RefOr::T(list(texts).min_items(Some(1)).build().into());
        }
        Kind::Bool(_) => plain(Type::Boolean),
        Kind::Int(min, max, _) => plain(Type::Integer).minimum(Some(*min)).maximum(Some(*max)),
        Kind::NullableInt(min, max) => ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::Integer, Type::Null]))
            .minimum(Some(*min))
            .maximum(Some(*max)),
        Kind::Number(min, max, _) => plain(Type::Number)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Double)))
            .minimum(Some(*min))
            .maximum(Some(*max)),
        Kind::Text(_) | Kind::Private | Kind::Cron(_) => plain(Type::String),
        Kind::Url(_) => plain(Type::String).format(Some(SchemaFormat::Custom("uri".into()))),
        Kind::Time(_) => plain(Type::String).pattern(Some(super::check::TIME_PATTERN)),
    };
    RefOr::T(object.build().into())
}
