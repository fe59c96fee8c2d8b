//! How NaN and tables travel in `report.json`: JSON has no NaN, so a missing float is `null`; a table is a list of
//! `[name, {"float": [..]}]`, with `integer`, `float`, `text` or `bool`.

use serde::{Deserialize, Deserializer};

/// Reads floats, `null` as NaN. (serde_json writes NaN and infinities as `null` by itself.)
pub(crate) fn floats<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
    let values = Vec::<Option<f64>>::deserialize(from)?;
    Ok(values.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect())
}

/// Tables.
pub(crate) mod table {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use striate_analysis::{Column, Table};

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Values {
        Integer(Vec<i64>),
        Float(#[serde(deserialize_with = "super::floats")] Vec<f64>),
        Text(Vec<String>),
        Bool(Vec<bool>),
    }

    pub fn serialize<S: Serializer>(table: &Table, to: S) -> Result<S::Ok, S::Error> {
        let columns = table.columns().map(|(name, column)| {
            let values = match column {
                Column::Integer(v) => Values::Integer(v.clone()),
                Column::Float(v) => Values::Float(v.clone()),
                Column::Text(v) => Values::Text(v.clone()),
                Column::Bool(v) => Values::Bool(v.clone()),
            };
            (name, values)
        });
        to.collect_seq(columns)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Table, D::Error> {
        Vec::<(String, Values)>::deserialize(from)?.into_iter().try_fold(Table::new(), |table, (name, values)| {
            let column = match values {
                Values::Integer(v) => Column::Integer(v),
                Values::Float(v) => Column::Float(v),
                Values::Text(v) => Column::Text(v),
                Values::Bool(v) => Column::Bool(v),
            };
            table.with(name, column).map_err(D::Error::custom)
        })
    }
}
