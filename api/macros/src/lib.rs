//! The attribute that objects of the graph are declared with.
//!
//! `#[Object]` is async-graphql's own, written in the same way, and does one thing more: fields that wait for nothing are
//! also given as plain functions, so that a list of a thousand things is written field by field, without a future and a
//! value in memory for each (`stoa_api::graphql::direct`).

use proc_macro::TokenStream;
use proc_macro2::{Group, Ident, TokenStream as Tokens, TokenTree};
use quote::{format_ident, quote};
use syn::{
    Attribute, Error, Expr, FnArg, ImplItem, ImplItemFn, ItemImpl, LitStr, Pat, Result, ReturnType, Type,
    parse_macro_input, parse_quote, spanned::Spanned as _, visit::Visit,
};

/// Declares an object of the graph: an `impl` block, each of whose methods is a field.
///
/// It takes what `async_graphql::Object` takes. A method that takes nothing but `&self` and awaits nothing becomes a direct field
/// if its type is a leaf. All others are resolved as async-graphql resolves them.
#[proc_macro_attribute]
#[expect(non_snake_case, reason = "it stands where async-graphql's attribute of this name would")]
pub fn Object(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments = Tokens::from(arguments);
    let item = parse_macro_input!(item as ItemImpl);
    expand(&arguments, item).unwrap_or_else(Error::into_compile_error).into()
}

fn expand(arguments: &Tokens, mut item: ItemImpl) -> Result<Tokens> {
    let Type::Path(path) = &*item.self_ty else {
        return Err(Error::new(item.self_ty.span(), "an object of the graph is a type with a name"));
    };
    if !item.generics.params.is_empty() {
        return Err(Error::new(item.generics.span(), "a generic object is declared with `async_graphql::Object`"));
    }
    let this = path.path.segments.last().map(|segment| segment.ident.clone());
    let this = this.ok_or_else(|| Error::new(item.self_ty.span(), "an object of the graph has a name"))?;
    let view = format_ident!("{this}Fields");
    let (item_attributes, mut fields, mut own, mut direct) =
        (std::mem::take(&mut item.attrs), Vec::new(), Vec::new(), Vec::new());
    for part in item.items {
        let ImplItem::Fn(mut method) = part else {
            return Err(Error::new(part.span(), "only fields stand here"));
        };
        fields.push(forwarded(&method, &this)?);
        let is_public = !matches!(method.vis, syn::Visibility::Inherited);
        if let Some(name) = direct_name(&method) {
            let (ty, plain) = (returned(&method)?, plain_name(&method.sig.ident));
            // Whether the type is a leaf is known to the compiler only: it takes the first of two traits that fits.
            let probe = quote!((&&crate::graphql::direct::Probe::<#ty>::new()));
            direct.push(quote! {
                #name if #probe.is_leaf() => Some(|this, sink| #probe.put(&this.#plain(), sink)),
            });
        }
        let is_plain = is_plain(&method);
        strip(&mut method);
        own.push(Own { is_public, is_plain, method });
    }
    let own = own.into_iter().map(Own::written).collect::<Result<Vec<_>>>()?;
    let name = if arguments.is_empty() {
        let name = this.to_string();
        quote!(name = #name)
    } else {
        arguments.clone()
    };
    Ok(quote! {
        #[allow(clippy::unused_self, clippy::unused_async, clippy::similar_names, reason = "fields of the graph look alike")]
        impl #this { #(#own)* }

        #[allow(clippy::too_many_arguments, clippy::used_underscore_binding, clippy::similar_names, reason = "they are the field's")]
        const _: () = {
            struct #view<'v>(&'v #this);

            #(#item_attributes)*
            #[::async_graphql::Object(#name)]
            impl #view<'_> { #(#fields)* }

            impl ::async_graphql::ContainerType for #this {
                async fn resolve_field(
                    &self,
                    ctx: &::async_graphql::Context<'_>,
                ) -> ::async_graphql::ServerResult<Option<::async_graphql::Value>> {
                    ::async_graphql::ContainerType::resolve_field(&#view(self), ctx).await
                }
            }

            impl ::async_graphql::OutputType for #this {
                fn type_name() -> ::std::borrow::Cow<'static, str> {
                    <#view<'static> as ::async_graphql::OutputType>::type_name()
                }

                fn create_type_info(registry: &mut ::async_graphql::registry::Registry) -> String {
                    <#view<'static> as ::async_graphql::OutputType>::create_type_info(registry)
                }

                async fn resolve(
                    &self,
                    ctx: &::async_graphql::ContextSelectionSet<'_>,
                    field: &::async_graphql::Positioned<::async_graphql::parser::types::Field>,
                ) -> ::async_graphql::ServerResult<::async_graphql::Value> {
                    match crate::graphql::direct::resolve(ctx, self).await {
                        Some(resolved) => resolved,
                        None => ::async_graphql::OutputType::resolve(&#view(self), ctx, field).await,
                    }
                }
            }

            impl ::async_graphql::ObjectType for #this {}

            impl crate::graphql::direct::Direct for #this {
                #[allow(clippy::needless_borrow, clippy::match_single_binding, reason = "the borrows choose the trait")]
                fn direct(field: &str) -> Option<crate::graphql::direct::Put<Self>> {
                    #[allow(unused_imports, reason = "an object may have no direct field")]
                    use crate::graphql::direct::{NoLeaf as _, OfLeaf as _};
                    match field {
                        #(#direct)*
                        _ => None,
                    }
                }
            }
        };
    })
}

/// A method of the object itself, without what async-graphql reads.
struct Own {
    is_public: bool,
    is_plain: bool,
    method: ImplItemFn,
}

impl Own {
    fn written(self) -> Result<Tokens> {
        let Self { is_public, is_plain, mut method } = self;
        let plain = plain_name(&method.sig.ident);
        if !is_plain {
            return Ok(quote!(#method));
        }
        let public = if is_public {
            // Interfaces call it, as async-graphql would have left it.
            let (visibility, name, ty) = (&method.vis, &method.sig.ident, returned(&method)?);
            Some(quote! {
                #[allow(clippy::unused_async, reason = "interfaces await it")]
                #visibility async fn #name(&self, _: &::async_graphql::Context<'_>) -> ::async_graphql::Result<#ty> {
                    Ok(self.#plain())
                }
            })
        } else {
            None
        };
        method.sig.asyncness = None;
        method.sig.ident = plain;
        method.vis = syn::Visibility::Inherited;
        Ok(quote! { #public #method })
    }
}

/// The field as async-graphql sees it: all of its attributes, and a call of the method itself.
fn forwarded(method: &ImplItemFn, this: &Ident) -> Result<ImplItemFn> {
    let mut field = method.clone();
    if let ReturnType::Type(_, ty) = &mut field.sig.output {
        *ty = syn::parse2(named(quote!(#ty), this))?;
    }
    let name = if is_plain(method) { plain_name(&method.sig.ident) } else { method.sig.ident.clone() };
    let mut arguments = Vec::new();
    for argument in method.sig.inputs.iter().skip(1) {
        let FnArg::Typed(argument) = argument else { continue };
        let Pat::Ident(pattern) = &*argument.pat else {
            return Err(Error::new(argument.pat.span(), "an argument has a name"));
        };
        arguments.push(pattern.ident.clone());
    }
    let call: Expr =
        if is_plain(method) { parse_quote!(self.0.#name()) } else { parse_quote!(self.0.#name(#(#arguments),*).await) };
    field.block = parse_quote!({ #call });
    field.vis = syn::Visibility::Inherited;
    field.attrs.retain(|attribute| !attribute.path().is_ident("expect"));
    Ok(field)
}

/// With the type's name where `Self` stands.
fn named(tokens: Tokens, this: &Ident) -> Tokens {
    let name = |token| match token {
        TokenTree::Ident(word) if word == "Self" => TokenTree::Ident(this.clone()),
        TokenTree::Group(group) => TokenTree::Group(Group::new(group.delimiter(), named(group.stream(), this))),
        token => token,
    };
    tokens.into_iter().map(name).collect()
}

/// Takes from a method what only async-graphql reads.
fn strip(method: &mut ImplItemFn) {
    method.attrs.retain(|attribute| !attribute.path().is_ident("graphql") && !attribute.path().is_ident("doc"));
    for argument in &mut method.sig.inputs {
        if let FnArg::Typed(argument) = argument {
            argument.attrs.retain(|attribute| !attribute.path().is_ident("graphql"));
        }
    }
}

fn plain_name(name: &Ident) -> Ident {
    format_ident!("__{name}")
}

fn returned(method: &ImplItemFn) -> Result<Type> {
    match &method.sig.output {
        ReturnType::Type(_, ty) => Ok((**ty).clone()),
        ReturnType::Default => Err(Error::new(method.sig.span(), "a field has a type")),
    }
}

/// Whether it takes nothing but the object, and waits for nothing.
fn is_plain(method: &ImplItemFn) -> bool {
    struct Awaits(bool);
    impl<'ast> Visit<'ast> for Awaits {
        fn visit_expr_await(&mut self, _: &'ast syn::ExprAwait) {
            self.0 = true;
        }

        fn visit_macro(&mut self, called: &'ast syn::Macro) {
            self.0 |= called.tokens.to_string().contains("await");
        }
    }
    let mut awaits = Awaits(false);
    awaits.visit_block(&method.block);
    method.sig.asyncness.is_some() && method.sig.inputs.len() == 1 && !awaits.0 && !is_flattened(method)
}

fn is_flattened(method: &ImplItemFn) -> bool {
    method.attrs.iter().any(|attribute| words(attribute).iter().any(|word| word == "flatten"))
}

/// The name under which a plain field stands in the graph.
fn direct_name(method: &ImplItemFn) -> Option<LitStr> {
    if !is_plain(method) || method.attrs.iter().any(|attribute| words(attribute).iter().any(|word| word == "name")) {
        return None;
    }
    Some(LitStr::new(&camel_case(&method.sig.ident.to_string()), method.sig.ident.span()))
}

/// The words at the top of `#[graphql(…)]`.
fn words(attribute: &Attribute) -> Vec<Ident> {
    let mut words = Vec::new();
    if attribute.path().is_ident("graphql") {
        let _ = attribute.parse_nested_meta(|meta| {
            words.extend(meta.path.get_ident().cloned());
            if meta.input.peek(syn::Token![=]) {
                let _: Expr = meta.value()?.parse()?;
            } else if meta.input.peek(syn::token::Paren) {
                let inner;
                syn::parenthesized!(inner in meta.input);
                let _: Tokens = inner.parse()?;
            }
            Ok(())
        });
    }
    words
}

/// A method's name as the graph has it.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_').filter(|word| !word.is_empty());
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}
