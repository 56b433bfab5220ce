use crate::Result;
use crate::install::Install;
pub fn run(_: Install) -> Result {
    todo!()
}
